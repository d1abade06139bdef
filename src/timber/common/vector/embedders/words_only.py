"""No embedder: texts are found by their words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from timber.common.errors import FeatureUnavailableError

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors


class WordsOnly:
    """Embeds nothing. What is stored meanwhile waits for an embedder, and is found by its words.

    Searches say so: `weights={"text": 1}`.
    """

    def generate_embedding(self, _text: str, /) -> NoReturn:
        """Raise a `FeatureUnavailableError`."""
        raise _unavailable()

    def generate_embeddings_batch(self, _texts: Sequence[str], /) -> "Vectors":
        """Raise a `FeatureUnavailableError`."""
        raise _unavailable()


def _unavailable() -> FeatureUnavailableError:
    return FeatureUnavailableError(
        "finding by meaning",
        cure="the embedder is 'none': search by words with weights={'text': 1}, "
        "or set TIMBER_EMBEDDER to 'minilm', 'static' or another",
    )
