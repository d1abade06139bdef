"""An embedder for tests: quick, and of each text another vector."""

import hashlib
from collections.abc import Sequence


class Hashing:
    """Embeds a text as numbers made of its SHA-256."""

    def __init__(self, *, model_id: str = "hashing", dimension: int = 8) -> None:
        self.model_id = model_id
        self.dimension = dimension
        self.embedded: list[str] = []
        self.refused: set[str] = set()
        """Texts at which it fails."""

    def generate_embedding(self, text: str) -> list[float]:
        [vector] = self.generate_embeddings_batch([text])
        return vector

    def generate_embeddings_batch(self, texts: Sequence[str]) -> list[list[float]]:
        if self.refused.intersection(texts):
            raise RuntimeError("no")
        self.embedded += texts
        return [self.of(text) for text in texts]

    def of(self, text: str) -> list[float]:
        """Return the vector of a text, of whatever length."""
        digest = hashlib.sha256(f"{self.model_id} {text}".encode()).digest()
        return [byte / 255 + 0.01 for byte in digest[: self.dimension]]
