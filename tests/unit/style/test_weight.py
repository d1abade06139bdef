import pytest
from hypothesis import given, strategies as st

from puppet_engine.style.weight import emoji_spans, link_spans, weighted_length


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("This is a test.", 15),
        ("a lié géts hal\u2018fway", 19),
        ("のの", 4),
        ("\U00010000\U0010ffff", 4),
        ("cafe\u0301", 4),  # composed before it is counted
        ("…", 2),
        ("http://test.com", 23),
        ("test.com", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("https://example.com/path/to/resource?search=foo&lang=en", 23),
        ("https://example.com/a.", 24),
        ("(see example.com/a)", 29),
        ("x@example.com", 13),
        ("a.m. and e.g. this", 18),
        ("http://foo.notatopleveldomain", 29),
        ("H🐱☺", 5),
        ("👨\u200d👩\u200d👧\u200d👦", 2),
        ("👍🏽🇦🇹1\ufe0f\u20e3", 6),
        ("©", 1),
    ],
)
def test_a_text_weighs_what_the_published_rules_say(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_links_and_emojis_are_found_in_their_places() -> None:
    text = "see 🌙 at x.org."

    assert [text[start:end] for start, end in link_spans(text)] == ["x.org"]
    assert [text[start:end] for start, end in emoji_spans(text)] == ["🌙"]


@given(st.text(alphabet="abc xyz,!é"), st.text(alphabet="abc xyz,!é"))
def test_without_links_weights_add_up(one: str, other: str) -> None:
    assert weighted_length(one + other) == weighted_length(one) + weighted_length(other)


@given(st.text())
def test_no_text_weighs_less_than_nothing_or_more_than_its_links_and_all_else_twice(
    text: str,
) -> None:
    weight = weighted_length(text)

    # Composing makes a text shorter or, for a few letters, up to three times as long.
    assert 0 <= weight <= 23 * len(link_spans(text)) + 6 * len(text)
