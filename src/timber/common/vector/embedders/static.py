"""A table of word pieces, distilled out of MiniLM: coarser, and many times as fast."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from timber.common.vector.embedders.loading import Once, refuse_other
from timber.common.vector.embedders.wordpieces import WordPieces
from timber.common.vector.numerics import numpy

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

DIMENSION: Final = 128
TABLE: Final = Path(__file__).parent / "models" / "static-minilm.npz"
_SHA256: Final = "48f77c3e6f372093053103e4dc6421efe1f4b82096eb3a67213a2e1c3c8c3036"
LIMIT: Final = 512
_WINDOW: Final = 256
"""How many texts are computed at a time; their pieces' vectors take memory."""


class StaticTable:
    """Embeds English texts as 128 numbers: the sum of what their word pieces add to it.

    The order of the words is lost, and which sense a word has. It is for bulk: for millions of
    texts, where `minilm` would take hours. Of each text, the first 512 word pieces count.
    The table is part of this package, and is loaded at the first use; several threads may embed
    at once. `scripts/static_table.py` makes it, and tells how.
    """

    model_id: Final = f"static-minilm-{DIMENSION}/{_SHA256[:8]}"
    dimension: Final = DIMENSION

    def __init__(self) -> None:
        self._pieces = Once(lambda: WordPieces(limit=LIMIT, marked=False))
        self._table = Once(_load)

    def generate_embedding(self, text: str) -> list[float]:
        """Return the vector of a text, of length one."""
        [vector] = self.generate_embeddings_batch([text]).tolist()
        return list(vector)

    def generate_embeddings_batch(self, texts: Sequence[str]) -> "Vectors":
        """Return the vectors of texts: shape (n, 128), each of length one."""
        np = numpy()
        vectors: Vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        remaining = iter(texts)
        for start in range(0, len(texts), _WINDOW):
            window = list(islice(remaining, _WINDOW))
            vectors[start : start + len(window)] = self._summed(window)
        return vectors

    def _summed(self, texts: Sequence[str]) -> Any:
        np = numpy()
        pieces = self._pieces()
        # What has no pieces, such as a text of control characters, is as good as unknown.
        numbers = [found or [pieces.unknown] for found in pieces.numbers(texts)]
        starts = np.cumsum([0, *(len(found) for found in numbers[:-1])])
        rows = self._table()[np.concatenate(numbers)]
        sums = np.add.reduceat(rows, starts, axis=0)
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def _load() -> Any:
    np = numpy()
    refuse_other(
        TABLE,
        expected=_SHA256,
        feature="the embedder 'static'",
        cure="install puppet-engine again",
    )
    with np.load(TABLE, allow_pickle=False) as stored:
        return stored["rows"] * stored["scales"][:, None]
