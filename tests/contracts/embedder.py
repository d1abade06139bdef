"""What every embedder promises; a subclass says how one is made."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from timber.common.errors import TimberError
from timber.common.vector.base import Embedder
from timber.common.vector.embedding import Embedding

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

CAT = "The cat sleeps on the warm windowsill."
KITTEN = "A kitten is napping by the window."
TAX = "Income tax returns must be filed by April."
ODD = {
    "one sign": "!",
    "one long word": "x" * 1_000,
    "very long": "word " * 600,
    "many scripts": "Die Katze schläft. 猫が眠っている。 القطة نائمة 🐈",
    "control characters": "a\tb\r\nc\u200b\u202e",
    "marks of the model": "[CLS] [SEP] [PAD] [MASK] <s> </s> query: passage:",
    "a zero": "nul \0 inside",
    "nothing visible": "\u200b",
    "unassigned": "\ufffd\U0010ffff",
}
"""Texts that nobody thought of."""


class EmbedderContract(ABC):
    """The promises; held up to any embedder."""

    close_enough: float = 0.999
    """The least cosine between two vectors that should be the same."""

    @pytest.fixture(scope="class")
    @classmethod
    @abstractmethod
    def make(cls) -> Callable[[], Embedder]:
        """Give what makes embedders that have loaded nothing yet."""

    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls, make: Callable[[], Embedder]) -> Embedder:
        """Give one for all tests, since loading takes its time."""
        return make()

    def test_a_text_is_as_many_finite_numbers_as_the_embedder_says(
        self, embedder: Embedder
    ) -> None:
        vector = embedder.generate_embedding(CAT)

        assert np.isfinite(vector).all()
        assert len(vector) == (Embedding(embedder).dimension or len(vector))

    def test_texts_have_one_vector_each_in_their_order_however_long_they_are(
        self, embedder: Embedder
    ) -> None:
        texts = ["tax " * (number % 5 * 4) + f"Number {number}." for number in range(40)]
        alone = {number: _one(embedder, texts[number]) for number in (0, 4, 33, 39)}

        together = _many(embedder, texts)

        assert together.shape[0] == len(texts)
        for number, vector in alone.items():
            assert vector @ together[number] > self.close_enough
            assert int(np.argmax(together @ vector)) == number

    def test_what_means_the_same_is_nearer_than_what_does_not(self, embedder: Embedder) -> None:
        cat, kitten, tax = _many(embedder, [CAT, KITTEN, TAX])

        assert cat @ kitten > cat @ tax

    def test_what_is_searched_for_lies_among_the_texts(self, embedder: Embedder) -> None:
        texts = _many(embedder, [TAX, CAT])

        query = Embedding(embedder).of_query("Where does the cat sleep?")

        assert int(np.argmax(texts @ query)) == 1

    def test_no_texts_have_no_vectors(self, embedder: Embedder) -> None:
        assert len(embedder.generate_embeddings_batch([])) == 0

    @pytest.mark.parametrize("text", ODD.values(), ids=ODD)
    def test_odd_texts_come_out_sound(self, embedder: Embedder, text: str) -> None:
        vectors = Embedding(embedder).of_texts([text, CAT])

        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)

    @pytest.mark.parametrize("text", ["", " \n\t", "half \ud800 a pair"], ids=ascii)
    def test_what_cannot_be_read_is_refused_and_named(self, embedder: Embedder, text: str) -> None:
        with pytest.raises(TimberError, match="text 2 of 2"):
            Embedding(embedder).of_texts([CAT, text])

    def test_threads_that_begin_together_get_the_same(self, make: Callable[[], Embedder]) -> None:
        embedder = make()
        found: list[Vectors] = []
        gate = threading.Barrier(4)

        def embed() -> None:
            gate.wait()
            found.append(_many(embedder, [CAT, TAX]))

        threads = [threading.Thread(target=embed) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 4
        for vectors in found:
            assert (np.sum(vectors * found[0], axis=1) > self.close_enough).all()

    def test_the_model_has_a_name_that_stays(self, make: Callable[[], Embedder]) -> None:
        embedder = make()
        before = Embedding(embedder).model_id
        embedder.generate_embedding(CAT)

        assert before is not None
        assert Embedding(embedder).model_id == before


def _one(embedder: Embedder, text: str) -> "Vectors":
    vector: Vectors = _many(embedder, [text])[0]
    return vector


def _many(embedder: Embedder, texts: list[str]) -> "Vectors":
    return Embedding(embedder).of_texts(texts)
