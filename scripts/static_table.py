"""Distil the table of the embedder `static` out of MiniLM: `python -m scripts.static_table`.

Every piece of the vocabulary goes through the model by itself. What comes out is centred, its
principal components are kept and evened out, and frequent pieces are made to count less
(Arora et al. 2017, "A simple but tough-to-beat baseline for sentence embeddings"). It takes half
a minute. Another machine may come to slightly other numbers: then the table has another SHA-256,
which belongs into `static.py`, and what was embedded by the old one must be embedded again.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from timber.common.vector.embedders.loading import sha256
from timber.common.vector.embedders.minilm import MiniLM
from timber.common.vector.embedders.static import DIMENSION, TABLE
from timber.common.vector.embedders.wordpieces import VOCABULARY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

FIRST_WORD: Final = 999
"""What comes before it in the vocabulary are marks and vacant places."""
SMOOTHING: Final = 3e-5
"""How rare a piece must be to count in full."""
EVENING: Final = 0.5
"""0 leaves the components as they are, 1 makes all equally wide."""
_LARGEST: Final = 127
_BATCH: Final = 512


def distilled(vectors: "Matrix", *, dimension: int = DIMENSION) -> "Matrix":
    """Return what each piece adds to a text: shape (pieces, dimension)."""
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = directions - directions.mean(axis=0)
    words = centred[FIRST_WORD:]
    _, widths, components = np.linalg.svd(words, full_matrices=False)
    deviations = widths[:dimension] / np.sqrt(len(words))
    turned = centred @ components[:dimension].T / deviations**EVENING
    table: Matrix = (turned * counting(len(vectors))[:, None]).astype(np.float32)
    return table


def counting(pieces: int) -> "NDArray[np.float64]":
    """Return how much each piece counts: the vocabulary is in order of frequency (Zipf)."""
    ranks = np.clip(np.arange(pieces) - FIRST_WORD + 1, 1, None)
    frequencies = 1 / (ranks * np.log(max(pieces - FIRST_WORD, 2)))
    weights: NDArray[np.float64] = SMOOTHING / (SMOOTHING + frequencies)
    return weights


def of_every_piece() -> "Matrix":
    """Return what MiniLM makes of each piece of the vocabulary."""
    pieces = VOCABULARY.read_text(encoding="utf-8").splitlines()
    beginning, end = pieces.index("[CLS]"), pieces.index("[SEP]")
    model = MiniLM(threads=2)
    batches = [
        model.of_pieces(
            [[beginning, number, end] for number in range(start, min(start + _BATCH, len(pieces)))]
        )
        for start in range(0, len(pieces), _BATCH)
    ]
    return np.concatenate(batches)


def write(table: "Matrix", *, target: Any = TABLE) -> None:
    """Write a table in eight bits, with one scale for each piece."""
    scales = np.abs(table).max(axis=1) / _LARGEST
    rows = np.round(table / scales[:, None]).astype(np.int8)
    np.savez_compressed(target, rows=rows, scales=scales.astype(np.float32))


def main() -> None:
    """Write the table, and say its SHA-256."""
    write(distilled(of_every_piece()))
    print(f"{TABLE}: {TABLE.stat().st_size:,} bytes, SHA-256 {sha256(TABLE)}")


if __name__ == "__main__":
    main()
