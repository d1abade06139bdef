"""Documents of one piece each, and an embedder that costs next to nothing."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

DIMENSION: Final = 384
_WORDS: Final = ("rain", "falls", "upon", "the", "old", "harbour", "while", "a", "ship", "waits")


def documents(count: int) -> Iterator[tuple[str, str, str]]:
    """Give the key, the text and the topic of each."""
    for number in range(count):
        words = (_WORDS[(number * step) % len(_WORDS)] for step in range(1, 40))
        yield f"paper-{number}", f"{number}: {' '.join(words)}.", f"topic {number % 7}"


class Cheap:
    """Gives random vectors, the same for the same count of texts."""

    model_id = "cheap"
    dimension = DIMENSION

    def generate_embedding(self, text: str) -> Any:
        """Return a vector."""
        return self.generate_embeddings_batch([text])[0]

    def generate_embeddings_batch(self, texts: Sequence[str]) -> Any:
        """Return a vector for each text."""
        chance = np.random.default_rng(len(texts))
        return chance.standard_normal((len(texts), DIMENSION), dtype=np.float32)
