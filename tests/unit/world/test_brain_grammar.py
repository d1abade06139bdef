"""Sentences out of patterns."""

import random

import pytest

from puppet_engine.world.brain.form import tidy
from puppet_engine.world.brain.grammar import CannotSayError, Rules, Telling, with_article
from puppet_engine.world.brain.voices import voices

FACTS = [
    "topic", "interest", "you", "opinion", "fitting", "habit", "memory", "related",
    "value", "thing", "it", "echo", "word", "kind", "weekday", "daypart", "known", "known_too",
]  # fmt: skip


def tell(rules: Rules, facts: Rules, *, seed: int = 1) -> str:
    return Telling(rules, facts, random.Random(seed)).say("start")


def test_slots_are_filled_from_rules_and_facts() -> None:
    text = tell({"start": ["{who} likes {topic}"], "who": ["Ada"]}, {"topic": ["fog"]})

    assert text == "Ada likes fog"


def test_a_bound_slot_says_the_same_again() -> None:
    rules = {"start": ["{x:n} and {x}"], "n": ["one", "two", "three"]}

    assert {tell(rules, {}, seed=seed) for seed in range(30)} == {
        "one and one",
        "two and two",
        "three and three",
    }


def test_nothing_is_said_twice_as_long_as_there_is_another() -> None:
    rules = {"start": ["{n} {n} {f} {f}"], "n": ["one", "two"]}

    for seed in range(30):
        told = tell(rules, {"f": ["a", "b"]}, seed=seed).split()
        assert sorted(told) == ["a", "b", "one", "two"]


def test_a_pattern_without_its_facts_is_passed_over() -> None:
    rules = {"start": ["{deep}", "plain"], "deep": ["about {memory}"]}

    assert {tell(rules, {}, seed=seed) for seed in range(20)} == {"plain"}


def test_what_cannot_be_said_is_an_error() -> None:
    with pytest.raises(CannotSayError):
        tell({"start": ["{memory}"]}, {})


def test_choices_in_brackets_are_made() -> None:
    assert {tell({"start": ["[a|b]"]}, {}, seed=seed) for seed in range(20)} == {"a", "b"}


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("apple", "an apple"),
        ("kettle", "a kettle"),
        ("hour", "an hour"),
        ("unicorn", "a unicorn"),
        ("use", "a use"),
    ],
)
def test_an_article_goes_by_the_sound(noun: str, said: str) -> None:
    assert with_article(noun) == said


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("fog. it came", "Fog. It came."),
        ("@bob it came!", "@bob It came!"),
        ("'soup', she said", "'Soup', she said."),
        ("(cf. spoons, passim)", "(Cf. spoons, passim)"),
        ("at 3 a.m. nobody waves", "At 3 a.m. nobody waves."),
        ("really?.  yes", "Really? Yes."),
    ],
)
def test_a_text_is_tidied(raw: str, text: str) -> None:
    assert tidy(raw) == text


@pytest.mark.parametrize("name", voices())
def test_every_slot_of_a_voice_leads_somewhere(name: str) -> None:
    facts = {it: [f"<{it}>"] for it in FACTS}
    voice = voices()[name]

    for rule, patterns in voice.rules.items():
        for pattern in patterns:
            said = Telling({**voice.rules, rule: [pattern]}, {**facts}, random.Random(1))
            if rule not in facts:
                assert said.say(rule)
