"""What can be taken up from a post."""

import pytest

from puppet_engine.world.brain.words import hear


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("My sourdough has started paying rent.", ("your sourdough",)),
        ("I saw a red bicycle at the station", ("that red bicycle", "the station")),
        ("Your kettle exploded.", ("my kettle",)),
        ("the wet socks", ()),  # "socks" might be a verb: better nothing than nonsense
        ("It wanted a bigger one", ()),
        ("An umbrella left in Prague", ("that umbrella",)),
        ("Nothing here", ()),
    ],
)
def test_things_are_noun_phrases_seen_from_the_other_side(
    text: str, things: tuple[str, ...]
) -> None:
    assert hear(text).things == things


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("And yet they build car parks.", "yet they build car parks"),
        ("Stop, you are on a thin red line", "you are on a thin red line"),
        ("It is what it is", None),
        ("He said 'my colleague'", "He said my colleague"),
    ],
)
def test_the_echo_says_something(text: str, echo: str | None) -> None:
    echoes = hear(text).echoes

    assert (echo is None and not echoes) or (echo or "").endswith(echoes[0])


@pytest.mark.parametrize(
    ("text", "is_question"),
    [("Soup?", True), ("Soup? 🙂", True), ("Soup?! Yes.", False), ("Soup.", False), ("", False)],
)
def test_a_question_is_what_ends_as_one(text: str, is_question: bool) -> None:
    assert hear(text).is_question is is_question


def test_words_are_the_longest_first_and_worth_repeating() -> None:
    heard = hear("Exactly! They'd bring accordions and tea")

    assert heard.words == ("accordions", "bring", "tea")


def test_links_handles_and_tags_are_not_heard() -> None:
    heard = hear("https://a.example @bob #tag")

    assert (heard.things, heard.echoes, heard.words) == ((), (), ())
