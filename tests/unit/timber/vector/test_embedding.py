"""Any embedder is held to what its vectors must be."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from timber.common.errors import EmbeddingError, InvalidRequestError, UnfitVectorsError
from timber.common.vector.embedding import Embedding

TEXTS = ["first", "second"]


class Answering:
    """Gives what it was told to give."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def generate_embedding(self, _text: str) -> Any:
        return self._answer[0]

    def generate_embeddings_batch(self, _texts: Sequence[str]) -> Any:
        return self._answer


class Pretending(Answering):
    """Has every attribute, as a mock does; none of those that it was not given is of use."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *_: object()


class Questioning(Answering):
    """Embeds questions otherwise than texts."""

    def generate_query_embedding(self, _text: str) -> list[float]:
        return [0.0, 1.0]


class Failing:
    """Breaks down."""

    def generate_embedding(self, _text: str) -> list[float]:
        raise RuntimeError("no memory")

    def generate_embeddings_batch(self, _texts: Sequence[str]) -> list[list[float]]:
        raise RuntimeError("no memory")


class Named(Answering):
    """Says of itself what it was told to say."""

    def __init__(self, answer: Any, *, model_id: Any, dimension: Any) -> None:
        super().__init__(answer)
        self.model_id = model_id
        self.dimension = dimension


@given(
    rows=st.lists(
        st.lists(st.floats(1e-3, 1e30) | st.floats(-1e30, -1e-3), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_vectors_keep_their_direction_and_have_length_one(rows: list[list[float]]) -> None:
    found = Embedding(Answering(rows)).of_texts(["text"] * len(rows))

    exact = np.array(rows)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert found.dtype == np.float32
    assert found == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[1.0, 0.0]], "gave 1 vectors for 2 texts"),
        ([[1.0, 0.0]] * 10, "gave 10 vectors for 2 texts"),
        ([[1.0, 0.0], [1.0]], "no table of numbers"),
        ([[1.0, 0.0], ["one", 0.0]], "no table of numbers"),
        ([[1.0, 0.0], None], "no table of numbers"),
        (None, "shape"),
        ([1.0, 2.0], "shape"),
        ([[], []], "shape"),
        ([[1.0, 0.0], [float("nan"), 1.0]], "not finite"),
        ([[1.0, 0.0], [float("inf"), 1.0]], "not finite"),
        ([[1.0, 0.0], [1e300, 1.0]], "not finite"),
        ([[1.0, 0.0], [0.0, 0.0]], "a vector of zeros"),
    ],
)
def test_what_cannot_be_compared_is_an_error_that_says_what_was_given(
    given: Any, said: str
) -> None:
    with pytest.raises(UnfitVectorsError, match=said):
        Embedding(Answering(given)).of_texts(TEXTS)


def test_vectors_of_another_dimension_than_it_says_are_an_error() -> None:
    embedder = Named([[1.0, 0.0]], model_id="mine", dimension=3)

    with pytest.raises(UnfitVectorsError, match=r"'mine' says .* 3 numbers, and gave 2"):
        Embedding(embedder).of_texts(["text"])


def test_what_an_embedder_gave_is_not_changed() -> None:
    given = np.array([[3.0, 4.0]], dtype=np.float32)

    found = Embedding(Answering(given)).of_texts(["text"])

    assert found == pytest.approx(np.array([[0.6, 0.8]]))
    assert given.tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    ("model_id", "dimension"), [(object(), object()), ("", True), (7, "384"), (None, 3.0)]
)
def test_what_an_embedder_says_of_itself_is_taken_only_when_it_is_a_name_and_a_number(
    model_id: object, dimension: object
) -> None:
    embedding = Embedding(Named([[1.0]], model_id=model_id, dimension=dimension))

    assert embedding.model_id is None
    assert embedding.dimension is None


def test_an_embedder_that_has_every_attribute_is_asked_for_what_the_port_has() -> None:
    embedding = Embedding(Pretending([[3.0, 4.0]]))

    assert embedding.of_query("a question").tolist() == pytest.approx([0.6, 0.8])
    assert embedding.model_id is None
    assert embedding.dimension is None


def test_a_model_that_tells_questions_from_texts_is_asked_as_such() -> None:
    embedding = Embedding(Questioning([[1.0, 0.0]]))

    assert embedding.of_query("a question").tolist() == [0.0, 1.0]
    assert embedding.of_texts(["a text"]).tolist() == [[1.0, 0.0]]


def test_what_breaks_in_an_embedder_is_told_with_its_reason() -> None:
    with pytest.raises(EmbeddingError, match="'Failing' failed: RuntimeError: no memory") as told:
        Embedding(Failing()).of_query("a question")

    assert isinstance(told.value.__cause__, RuntimeError)


@pytest.mark.parametrize("text", ["", "\n", "half \udfff a pair", None, b"bytes", 7], ids=ascii)
def test_what_is_no_text_never_reaches_the_embedder(text: Any) -> None:
    with pytest.raises(InvalidRequestError, match="text 1 of 1"):
        Embedding(Failing()).of_texts([text])
    with pytest.raises(InvalidRequestError, match="what is searched for"):
        Embedding(Failing()).of_query(text)
