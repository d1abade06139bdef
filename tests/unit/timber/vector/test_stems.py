"""By what encrypted texts are found: the same stems for what is stored and what is asked."""

import sqlite3
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.fake_keystore import FakeKeystore

from timber.common.encryption.keyring import Keyring
from timber.common.encryption.sealing import Sealer
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.stems import asked_stems, stored_stems

WORDS = (
    *("running", "runner", "ponies", "caresses", "relational", "conditional", "happiness"),
    *("hopping", "generalization", "oscillators", "probate", "controlling", "adoption"),
    *("activate", "bowdlerize", "Café", "Ångström", "naïve", "ERR", "1042"),
)


def fts5(word: str) -> str:
    """Return what SQLite makes of a word."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE t USING fts5(c, tokenize='porter unicode61 remove_diacritics 2')"
        )
        connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, row)")
        connection.execute("INSERT INTO t VALUES (?)", (word,))
        [[term]] = connection.execute("SELECT term FROM v")
    connection.close()
    return str(term)


@pytest.mark.parametrize("word", WORDS)
def test_a_stem_is_that_of_fts5(word: str) -> None:
    assert stored_stems(word) == [fts5(word)]


def test_what_stands_together_is_one_more() -> None:
    assert stored_stems("see ERR-1042, now") == ["see", "err 1042", "err", "1042", "now"]
    assert asked_stems("ERR-1042") == ["err 1042", "err", "1042"]


def test_each_is_stored_as_often_as_it_occurs_and_asked_once() -> None:
    assert stored_stems("ships and ship") == ["ship", "and", "ship"]
    assert asked_stems("ships and ship") == ["ship", "and"]


def test_of_scripts_without_blanks_characters_and_neighbours_are_taken() -> None:
    assert stored_stems("東京都") == ["東京", "京都", "東", "京", "都"]
    assert asked_stems("京") == ["京"]
    assert asked_stems("東京都") == ["東京", "京都"]


@given(st.text())
def test_whatever_is_asked_of_a_text_itself_is_stored_of_it(text: str) -> None:
    assert set(asked_stems(text)) <= set(stored_stems(text))


@pytest.fixture
def seals() -> Any:
    keyring = Keyring(ticks=lambda: 0.0)
    keyring.open(FakeKeystore())
    return PieceSeals(Sealer(keyring=keyring))


def test_hashes_are_words_of_which_no_tokenizer_takes_anything(seals: PieceSeals) -> None:
    for hashed in seals.words("notes", " ".join(WORDS)).split():
        assert fts5(hashed) == hashed


def test_in_no_two_sources_has_a_word_the_same_hash(seals: PieceSeals) -> None:
    assert seals.words("notes", "ship") == seals.asked("notes", "ships")
    assert seals.words("notes", "ship") != seals.words("letters", "ship")
