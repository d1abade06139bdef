"""Any embedder, held to what its vectors must be before they are stored or searched by."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from timber.common.errors import (
    EmbeddingError,
    InvalidRequestError,
    TimberError,
    UnfitVectorsError,
)
from timber.common.vector.base import Embedder
from timber.common.vector.numerics import numpy

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors


class Embedding:
    """Embeds by an embedder, whose like it is: one text or many, or the words of a search.

    The embedder may be anything with the two methods of `Embedder`, a mock included: what it
    says of itself is taken only when it is a text or a number, as it should be.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model_id(self) -> str | None:
        """What the embedder calls its model; None when it does not say, and is anonymous."""
        found = getattr(self._embedder, "model_id", None)
        return found if isinstance(found, str) and found else None

    @property
    def dimension(self) -> int | None:
        """How many numbers it says that a vector has; None when it does not say."""
        found = getattr(self._embedder, "dimension", None)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def of_texts(self, texts: Sequence[str]) -> "Vectors":
        """Return the vectors of texts, one each: shape (n, dimension), each of length one.

        Raises:
            InvalidRequestError: a text is blank, or holds half a surrogate pair.
            UnfitVectorsError: the embedder gave too few, too many, or others than these.
            EmbeddingError: it failed.

        """
        for number, text in enumerate(texts):
            _refuse_unreadable(text, f"text {number + 1} of {len(texts)}")
        if not texts:
            none: Vectors = numpy().empty((0, self.dimension or 0), dtype=numpy().float32)
            return none
        given = self._ask(self._embedder.generate_embeddings_batch, texts)
        return self._fit(given, count=len(texts))

    def of_query(self, text: str) -> "Vectors":
        """Return the vector of what is searched for: shape (dimension,), of length one.

        It lies among those of `of_texts`; models that tell questions from texts embed it as a
        question. Raises what `of_texts` raises.
        """
        _refuse_unreadable(text, "what is searched for")
        # On its class: a mock has every attribute, and what it gives for this one is no vector.
        asked = hasattr(type(self._embedder), "generate_query_embedding")
        embedder: Any = self._embedder
        ask = embedder.generate_query_embedding if asked else embedder.generate_embedding
        vector: Vectors = self._fit([self._ask(ask, text)], count=1)[0]
        return vector

    def _ask(self, ask: Callable[[Any], Any], what: object) -> Any:
        try:
            return ask(what)
        except TimberError:
            raise
        except Exception as error:
            raise EmbeddingError(
                f"{self._name} failed: {type(error).__name__}: {error}; "
                "nothing was embedded; mend the embedder, then embed again"
            ) from error

    def _fit(self, given: Any, *, count: int) -> "Vectors":
        np = numpy()
        vectors = self._table(given)
        if len(vectors) != count:
            raise self._unfit(f"gave {len(vectors)} vectors for {count} texts")
        if self.dimension is not None and vectors.shape[1] != self.dimension:
            raise self._unfit(
                f"says that its vectors have {self.dimension} numbers, and gave {vectors.shape[1]}"
            )
        # In double precision: the square of a large single would be infinite.
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        if not np.isfinite(lengths).all():
            raise self._unfit("gave a number that is not finite")
        if not lengths.all():
            raise self._unfit("gave a vector of zeros, which has no direction")
        vectors /= lengths[:, None]
        return vectors

    def _table(self, given: Any) -> "Vectors":
        np = numpy()
        try:
            with np.errstate(over="ignore"):  # becomes infinite, and is refused as such
                vectors: Vectors = np.array(given, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise self._unfit(f"gave no table of numbers ({error})") from error
        if vectors.ndim != 2 or vectors.shape[1] == 0:  # noqa: PLR2004 - texts by numbers
            raise self._unfit(f"gave something of the shape {vectors.shape}")
        return vectors

    @property
    def _name(self) -> str:
        return f"the embedder {self.model_id or type(self._embedder).__name__!r}"

    def _unfit(self, what: str) -> UnfitVectorsError:
        return UnfitVectorsError(f"{self._name} {what}: nothing was embedded; mend the embedder")


def _refuse_unreadable(text: object, which: str) -> None:
    if not isinstance(text, str):
        raise InvalidRequestError(f"{which} is no text but a {type(text).__name__}: give a str")
    if not text or text.isspace():
        raise InvalidRequestError(f"{which} is blank: give words, or leave it out")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            f"{which} holds half a surrogate pair at character {error.start}, which no database "
            "stores: repair it where it was read, such as by `errors='replace'`"
        ) from error
