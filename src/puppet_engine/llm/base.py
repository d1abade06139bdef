"""The port to a language model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from puppet_engine.core.errors import LLMRefusedError
from puppet_engine.style.weight import POST_WEIGHT, weighted_length

POST_CHARACTERS: Final = POST_WEIGHT
"""The weight of a post on X, whose rules are the strictest we meet."""


class CompletionOptions(BaseModel):
    """How a completion is to be made; the `options` of `generate_content` hold these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    """Which of the provider's models answers; the one of the settings when unset."""
    system: str = ""
    """Who speaks: the persona's prompt."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    seed: int | None = None
    """Makes the answer repeatable where the provider can."""


class CompletionRequest(BaseModel):
    """One question to a language model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str
    options: CompletionOptions = CompletionOptions()


class LLMProvider(ABC):
    """Answers prompts. A wrapper overrides `complete` only."""

    @abstractmethod
    async def complete(self, request: CompletionRequest) -> str:
        """Return the model's answer, stripped and never empty.

        Raises:
            LLMUnavailableError: no answer now; the same request may work later.
            LLMRefusedError: the request will not be answered.
            MissingCredentialError: the provider has no key.

        """

    async def generate_content(self, prompt: str, options: Mapping[str, Any]) -> str:
        """Return a text of any length. `options` holds fields of `CompletionOptions`.

        Raises what `complete` raises, and `LLMRefusedError` for an option that does not exist.
        """
        return await self.complete(CompletionRequest(prompt=prompt, options=_read(options)))

    async def generate_tweet(self, prompt: str, options: Mapping[str, Any]) -> str:
        """Return a text fit to be posted: one paragraph, unquoted, not over 280 as X weighs it.

        Raises what `generate_content` raises.
        """
        text = await self.generate_content(prompt, options)
        return shorten(unquote(" ".join(text.split())), POST_CHARACTERS)

    async def aclose(self) -> None:
        """Release connections. Using the provider again opens new ones."""


def _read(options: Mapping[str, Any]) -> CompletionOptions:
    try:
        return CompletionOptions.model_validate(options)
    except ValidationError as error:
        known = ", ".join(CompletionOptions.model_fields)
        raise LLMRefusedError(f"the options do not fit; there are: {known}\n{error}") from error


def unquote(text: str) -> str:
    """Return `text` without the quotation marks that models like to put around a post."""
    for opening, closing in ('""', "''", "“”", "«»"):
        inner = text[1:-1]
        if len(text) > 1 and text[0] == opening and text[-1] == closing and opening not in inner:
            return inner.strip()
    return text


def shorten(text: str, limit: int) -> str:
    """Return the whole sentences of `text`, else words, that weigh `limit` at the most."""
    if weighted_length(text) <= limit:
        return text
    cut = text[:limit]
    while weighted_length(f"{cut}…") > limit:
        cut = cut[:-1]
    for end in (". ", "! ", "? ", "… "):
        if (at := f"{cut} ".rfind(end)) > len(cut) // 2:
            return cut[: at + 1]
    return cut.rsplit(" ", 1)[0].rstrip(",;:-") + "…"
