"""Which words of a query texts are ranked by, where very many texts have some of them."""

import pytest
from hypothesis import given, strategies as st
from tests.contracts.vector_shelf import Shelf

from timber.common.vector.fulltext_sqlite import Frequencies
from timber.common.vector.term_choice import expected, is_looked_up_sooner, telling

TEXTS = 100_000

shares = st.dictionaries(st.text("abcdefgh", min_size=1), st.floats(0, 1), min_size=1)


@pytest.mark.parametrize(
    ("having", "limit", "expected"),
    [
        ({"dog": 250, "cello": 40, "music": 200}, 10, ["cello", "music", "dog"]),
        ({"dog": 300, "cello": 40, "music": 200}, 10, ["cello", "music"]),
        ({"dog": 900, "cello": 40, "music": 200}, 700, ["cello", "music", "dog"]),
        ({"dog": 4_000, "music": 3_000}, 10, ["music"]),
    ],
)
def test_on_sqlite_the_rarest_words_tell_as_long_as_few_texts_have_one(
    lent_shelf: Shelf, having: dict[str, int], limit: int, expected: list[str]
) -> None:
    frequencies = Frequencies()
    with lent_shelf.reading() as connection:
        counts = frequencies.counts(connection, TEXTS)
        for word, count in having.items():
            frequencies.keep(word, count)

        found = counts.telling(list(having), limit)

    assert found == expected


@pytest.mark.parametrize(
    ("frequencies", "wanted"),
    [
        ({"dog": 0.003, "cello": 0.001}, ["unheard", "cello", "dog"]),
        ({"dog": 0.005, "cello": 0.001}, ["unheard", "cello"]),
        ({"dog": 0.2, "cello": 0.3}, ["unheard"]),
    ],
)
def test_on_postgresql_they_do_by_what_it_knows_of_them(
    frequencies: dict[str, float], wanted: list[str]
) -> None:
    found = telling(["dog", "unheard", "cello"], frequencies, most=0.005)

    assert found == wanted


def test_where_no_word_is_rare_all_are_ranked_by() -> None:
    frequencies = {"dog": 0.2, "cello": 0.1}

    found = telling(["dog", "cello"], frequencies, most=0.005)

    assert found == ["cello", "dog"]


def test_what_nothing_is_known_of_may_be_in_as_much_as_the_rarest_that_is_known() -> None:
    frequencies = {"dog": 0.2, "cello": 0.125}

    assert expected(["dog", "unheard"], frequencies) == pytest.approx(0.325)
    assert expected(["unheard"], {}) == 0


@pytest.mark.parametrize(
    ("in_scope", "having", "is_looked_up"),
    [(100_000, 500, False), (100_000, 20_000, True), (60_000, 100_000, True), (0, 0, False)],
)
def test_a_scope_is_looked_up_where_its_entries_are_read_sooner_than_the_pieces(
    in_scope: int, having: int, is_looked_up: bool
) -> None:
    assert is_looked_up_sooner(in_scope, having=having) is is_looked_up


@given(frequencies=shares, most=st.floats(0, 1))
def test_none_is_left_out_that_is_rarer_than_one_that_tells(
    frequencies: dict[str, float], most: float
) -> None:
    found = telling(list(frequencies), frequencies, most=most)

    left_out = frequencies.keys() - found
    assert found
    commonest = max(frequencies[one] for one in found)
    assert all(frequencies[one] >= commonest for one in left_out)
