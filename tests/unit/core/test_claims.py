from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from puppet_engine.core.claims import LONGEST_VALUE, claims_of

AT = datetime(2026, 1, 1, tzinfo=UTC)


def claimed(text: str) -> dict[str, str]:
    return {one.attribute: one.value for one in claims_of(text, speaker="mira", at=AT)}


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("I live in New York now.", "home", "New York"),
        ("So, I moved to Ghent!", "home", "Ghent"),
        ("I\u2019m living in Rio de Janeiro", "home", "Rio de Janeiro"),
        ("I work as a stage designer at the opera", "job", "stage designer"),
        ("I'm a nurse now, finally", "job", "nurse"),
        ("I work for Acme Corp, sadly", "employer", "Acme Corp"),
        ("My name is Mira Novak.", "name", "Mira Novak"),
        ("my birthday is on the 3rd of May", "birthday", "3rd of May"),
        ("My dog is called Biscuit.", "name of dog", "Biscuit"),
        ("my cat's name is Pepper", "name of cat", "Pepper"),
        ("My favourite colour is green, by the way", "favourite colour", "green"),
    ],
)
def test_what_is_said_plainly_is_a_claim(text: str, attribute: str, value: str) -> None:
    assert claimed(text)[attribute] == value


@pytest.mark.parametrize(
    "text",
    [
        "Do I live in Rome?",
        "If I lived in Rome",
        "I wish I lived in Rome",
        "I do not live in Rome",
        "I used to work as a nurse",
        "You live in Rome",
        "My dog is cold",
        "I live in hope",
        '"My cat is called Bruno" needs orange peel. Serve at once.',
        "\u201cI live in Oslo now\u201d goes on the menu.",
        "\u00abI work at Acme\u00bb, says my brother.",
        'She told me "my name is Ada" and left.',
    ],
)
def test_what_is_asked_wished_denied_or_quoted_is_none(text: str) -> None:
    assert claimed(text) == {}


def test_of_two_values_the_one_that_is_said_last_counts() -> None:
    assert claimed("I live in Ghent. No wait, I moved to Leeds.") == {"home": "Leeds"}


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert all(0 < len(value) <= LONGEST_VALUE for value in claimed(text).values())


def test_what_is_said_in_quotation_marks_as_a_whole_is_said() -> None:
    assert claimed('"I live in Oslo now."') == {"home": "Oslo"}


def test_beside_a_quotation_ones_own_words_count() -> None:
    assert claimed('"Move!", they said. I live in Oslo now.') == {"home": "Oslo"}
