"""Models load once, and only if they are the ones that were pinned; batches are bounded."""

import threading
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scripts.static_table import distilled, write

from timber.common.errors import FeatureUnavailableError
from timber.common.vector.embedders import minilm, static, wordpieces
from timber.common.vector.embedders.batches import batches
from timber.common.vector.embedders.loading import Once, refuse_other, sha256
from timber.common.vector.embedders.wordpieces import WordPieces


def test_what_loads_at_the_first_use_is_loaded_once_by_threads_that_come_together() -> None:
    made: list[object] = []

    def make() -> object:
        time.sleep(0.01)  # long enough for the others to arrive
        made.append(object())
        return made[-1]

    once, gate, got = Once(make), threading.Barrier(8), list[object]()

    def use() -> None:
        gate.wait()
        got.append(once())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert got == made * 8


def test_what_failed_to_load_is_tried_again() -> None:
    answers = iter([ZeroDivisionError(), None])

    def make() -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "loaded"

    once = Once(make)
    with pytest.raises(ZeroDivisionError):
        once()

    assert once() == "loaded"


@pytest.mark.parametrize(("content", "said"), [(b"other", "SHA-256"), (None, "cannot be read")])
def test_a_file_that_is_not_the_pinned_one_is_refused_with_the_cure(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "model.onnx"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(FeatureUnavailableError, match=f"{said}.*install it again"):
        refuse_other(file, expected="0" * 64, feature="a model", cure="install it again")


def test_a_damaged_table_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / static.TABLE.name
    damaged.write_bytes(static.TABLE.read_bytes()[:-1] + b"\1")
    monkeypatch.setattr(static, "TABLE", damaged)

    with pytest.raises(FeatureUnavailableError, match="damaged"):
        static.StaticTable().generate_embedding("text")


def test_a_model_whose_package_is_missing_is_told_with_the_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "not_installed_here")

    with pytest.raises(FeatureUnavailableError, match=r"puppet-engine\[vectors\]"):
        minilm.MiniLM(threads=1).generate_embedding("text")


def test_the_licence_lies_beside_what_it_is_for() -> None:
    models = files("timber.common.vector.embedders") / "models"

    assert {file.name for file in models.iterdir()} == {
        "LICENSE",
        "NOTICE",
        static.TABLE.name,
        wordpieces.VOCABULARY.name,
    }
    assert "Apache License" in (models / "LICENSE").read_text(encoding="utf-8")


@given(
    lengths=st.lists(st.integers(0, 50), max_size=60),
    budget=st.integers(1, 200),
    most=st.integers(1, 9),
)
def test_batches_hold_every_text_once_ascend_and_keep_to_their_bounds(
    lengths: list[int], budget: int, most: int
) -> None:
    made = list(batches(lengths, budget=budget, most=most))

    order = [number for batch in made for number in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[number] for number in order] == sorted(lengths)
    for batch in made:
        filled = max(lengths[number] for number in batch) * len(batch)
        assert len(batch) <= most
        assert filled <= budget or len(batch) == 1


def test_word_pieces_are_those_that_bert_has() -> None:
    vocabulary = wordpieces.VOCABULARY.read_text(encoding="utf-8").splitlines()

    [numbers] = WordPieces(limit=16, marked=True).numbers(["Unaffable Café, ERR-1042!"])

    pieces = " ".join(vocabulary[number] for number in numbers)
    assert pieces == "[CLS] una ##ffa ##ble cafe , er ##r - 104 ##2 ! [SEP]"


@pytest.fixture(scope="module")
def cutters() -> tuple[WordPieces, WordPieces]:
    """Give what cuts texts into eight pieces at most, with marks and without."""
    return WordPieces(limit=8, marked=True), WordPieces(limit=8, marked=False)


@given(text=st.text(max_size=80))
def test_a_text_has_no_more_pieces_than_the_limit(
    cutters: tuple[WordPieces, WordPieces], text: str
) -> None:
    [marked], [plain] = (cutter.numbers([text]) for cutter in cutters)

    assert 2 <= len(marked) <= 8
    assert marked[1:-1] == plain[:6]
    assert len(plain) <= 8


def test_a_distilled_table_keeps_the_neighbours_and_fits_into_eight_bits(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    centres = chance.standard_normal((20, 48))
    topics = np.arange(2_000) % 20
    vectors = centres[topics] + 0.3 * chance.standard_normal((2_000, 48))

    table = distilled(vectors.astype(np.float32), dimension=16)
    write(table, target=tmp_path / "table.npz")

    with np.load(tmp_path / "table.npz") as stored:
        assert stored["rows"].dtype == np.int8
        kept = (stored["rows"] * stored["scales"][:, None])[1_000:]
    assert kept == pytest.approx(table[1_000:], abs=float(np.abs(table).max()) / 200)
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    likeness = kept @ kept.T - 2 * np.eye(len(kept))
    assert (topics[1_000:][likeness.argmax(axis=1)] == topics[1_000:]).mean() > 0.95


def test_the_pinned_table_is_the_one_in_the_package() -> None:
    assert sha256(static.TABLE)[:8] in static.StaticTable.model_id
