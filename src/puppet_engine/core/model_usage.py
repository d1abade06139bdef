"""What a call to a language model used."""

from typing import Annotated

from pydantic import Field

from puppet_engine.core.nouns import Noun

Tokens = Annotated[int, Field(ge=0)]


class ModelUsage(Noun):
    """Tokens of one call, as the server that answered counted them."""

    input_tokens: Tokens = 0
    """All that was read, also from a cache."""
    cached_tokens: Tokens = 0
    """Those of the input that came from the server's cache, and are cheaper."""
    output_tokens: Tokens = 0
    """All that was written, also what a model thought and did not say."""
    is_estimate: bool = False
    """Whether the server did not say, so that it was reckoned from the texts."""

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.input_tokens + self.output_tokens
