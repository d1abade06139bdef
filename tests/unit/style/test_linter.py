"""A planted defect for every rule: each must be found, and its neighbour that keeps it not."""

from typing import Any

import pytest

from puppet_engine.core.models import AgentConfig
from puppet_engine.style.findings import Violation
from puppet_engine.style.linter import StyleLinter


def linter(**guide: Any) -> StyleLinter:
    return StyleLinter(
        AgentConfig.model_validate({"id": "a", "name": "Ada Byte", "style_guide": guide})
    )


def form(**formatting: Any) -> dict[str, Any]:
    return {"formatting": formatting}


def marks(**punctuation: Any) -> dict[str, Any]:
    return form(punctuation=punctuation)


def bounds(**constraints: Any) -> dict[str, Any]:
    return {"language_constraints": constraints}


@pytest.mark.parametrize(
    ("guide", "broken", "kept", "rule"),
    [
        ({}, "x" * 281, "x" * 280, "post.weight"),
        ({}, "の" * 141, "の" * 140, "post.weight"),
        (form(max_characters=5), "abcdef", "@somebody abcde", "formatting.length"),
        (form(min_characters=3), "@somebody ab", "abc", "formatting.length"),
        ({}, "Warm 🌙", "Warm", "formatting.emojis"),
        (form(uses_emojis=True, max_emojis=1), "🌙🌙", "🌙", "formatting.emojis"),
        ({}, "Warm #towel", "Warm & #1", "formatting.hashtags"),
        (form(uses_hashtags=True, max_hashtags=1), "#a #b", "#a", "formatting.hashtags"),
        (form(lowercase=True), "so Warm", "@Bob see HTTP://X.org", "formatting.case"),
        (form(capitalization="lowercase"), "É", "é ß", "formatting.case"),
        (form(capitalization="uppercase"), "WARM towel", "WARM 1", "formatting.case"),
        (form(capitalization="ordinary"), "@Bob warm", "@bob Warm", "formatting.case"),
        (marks(forbidden=["!"]), "No!", "No.", "punctuation.forbidden"),
        (marks(endings=[".", "?"]), "Oh", "Oh. x.org", "punctuation.endings"),
        (marks(max_exclamation_marks=1), "No!!", "No!", "punctuation.exclamation_marks"),
        (bounds(banned_words=["hack"]), "Two HACKS", "A shack", "language.banned_words"),
        (
            bounds(banned_words=["going forward"]),
            "Going  forward",
            "forward",
            "language.banned_words",
        ),
        (bounds(required_words=["tea", "cup"]), "Coffee", "Two cups", "language.required_words"),
        (bounds(scripts=["latin"]), "Привет", "Grüß Gott", "language.scripts"),
        (bounds(scripts=["cyrillic"]), "Hello", "Привет", "language.scripts"),
        (
            bounds(max_words_per_sentence=3),
            "One. Two three four five.",
            "One two three. Four.",
            "language.sentences",
        ),
        ({"topics_to_avoid": ["politics"]}, "Politics, again", "Polite ticks", "topics_to_avoid"),
        (
            {"topics_to_avoid": ["medical advice"]},
            "My advice is medical.",
            "My advice: tea. Medical!",
            "topics_to_avoid",
        ),
        ({"voice": "third_person"}, "I'm here", "Ada said 'I am here'", "voice.person"),
        ({"voice": "first person plural"}, "So am I", "So are we, Captain iPad", "voice.person"),
        ({"voice": "first_person"}, "Warm. Ada thinks so.", "@Ada is it you?", "voice.person"),
    ],
)
def test_what_breaks_a_rule_is_found_and_what_keeps_it_is_not(
    guide: dict[str, Any], broken: str, kept: str, rule: str
) -> None:
    under_test = linter(**guide)

    found = [violation.rule for violation in under_test.hard(broken)]
    assert found == [rule]
    assert under_test.hard(kept) == []


def test_a_finding_tells_reason_place_and_cure() -> None:
    (found,) = linter(**bounds(banned_words=["hack"])).hard("Two hacks a day")

    assert found == Violation(
        rule="language.banned_words",
        reason="a banned word",
        start=4,
        end=9,
        excerpt="hacks",
        cure="say it without",
    )
    assert found.line() == "language.banned_words: a banned word at 4-9: 'hacks'; say it without"


def test_a_capital_is_found_behind_letters_that_are_small_and_foreign() -> None:
    assert [it.start for it in linter(**form(lowercase=True)).hard("привет Warm")] == [7]
