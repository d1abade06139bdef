"""What is measured of a cast's words holds for the cast, and fails when a defect is planted."""

import random
from collections.abc import Mapping, Sequence
from functools import cache

import pytest
from hypothesis import given, settings, strategies as st
from tests.unit.measures.speech import cast, speech

from puppet_engine.appraisal.crowd import crowd
from puppet_engine.measures.authorship import authorship
from puppet_engine.measures.drift import SOON, drift
from puppet_engine.measures.population import population
from puppet_engine.measures.reading import Reading, hold
from puppet_engine.measures.repetition import near_duplicates, repetition
from puppet_engine.measures.style import style
from puppet_engine.style.repetition import NEAR, near_likeness

# What they say is made once for all of these tests, by one process.
pytestmark = [pytest.mark.unit, pytest.mark.xdist_group("measures")]

Texts = Mapping[str, Sequence[str]]


def failing(readings: Sequence[Reading]) -> list[tuple[str, str]]:
    return [(one.of, one.whose) for one in readings if not one.holds]


def one_after_the_other(texts: Texts) -> list[str]:
    return [text for several in zip(*texts.values(), strict=True) for text in several]


# ------------------------------------------------------------------ style


def test_the_cast_keeps_to_its_style_guides() -> None:
    assert failing(style(list(cast().items()), speech()).readings) == []


def test_one_text_that_breaks_a_hard_rule_fails_the_measure() -> None:
    texts = {**speech(), "the_department": (*speech()["the_department"], "Awesome!")}

    found = style(list(cast().items()), texts)

    assert failing(found.readings) == [("texts that keep every hard rule", "the_department")]
    assert found.broken[0].startswith("@the_department: ")


def test_emojis_in_all_texts_fail_a_rate_of_half() -> None:
    texts = {**speech(), "delphine_roux": [f"{it} 🍋" for it in speech()["delphine_roux"]]}

    found = style(list(cast().items()), texts)

    assert ("rate of emojis", "delphine_roux") in failing(found.readings)


# ------------------------------------------------------------------ repetition


def test_nobody_of_the_cast_repeats_themselves_and_one_copied_text_is_found() -> None:
    first, second, *_ = texts = dict(speech())
    copied = f"{texts[first][3]} And so."
    planted = {**texts, second: (*texts[second], copied)}

    whole, broken = repetition(texts), repetition(planted)

    assert whole.readings[0].value == 0
    assert failing(whole.readings) == []
    assert failing(broken.readings) == [("near-duplicates", "the cast")]
    assert copied in broken.duplicates[0]


@pytest.mark.parametrize(
    ("every", "broken"),
    [
        (40, []),
        (
            15,
            ["texts with the commonest opening", "texts that begin as one of the 25 before them"],
        ),
    ],
)
def test_an_opening_that_comes_too_often_fails_the_measure(every: int, broken: list[str]) -> None:
    first, *_ = texts = dict(speech())
    alike = [text if at % every else f"Let me tell {text}" for at, text in enumerate(texts[first])]

    found = repetition({**texts, first: alike})

    assert failing(found.readings) == [(of, first) for of in broken]


WORDS = st.lists(st.sampled_from(["rain", "a", "moon", "kettle", "the"]), max_size=9).map(" ".join)


@settings(deadline=None)
@given(texts=st.lists(WORDS, max_size=12))
def test_no_pair_of_near_duplicates_is_overlooked(texts: list[str]) -> None:
    pairs = {
        (one, other)
        for other in range(len(texts))
        for one in range(other)
        if near_likeness(texts[one], texts[other]) >= NEAR
    }

    assert set(near_duplicates(texts)) == pairs


# ------------------------------------------------------------------ authorship


def test_everybody_is_told_by_their_words_and_no_more_when_two_share_a_voice() -> None:
    first, second, *_ = texts = dict(speech())
    both = [*texts[first], *texts[second]]
    shared = {**texts, first: both[::2], second: both[1::2]}

    assert failing(authorship(texts).readings) == []
    assert failing(authorship(shared).readings) == [("texts told to be whose of 5", "the cast")]


def test_capitals_and_handles_do_not_give_anybody_away() -> None:
    alike = [f"The {thing} came in the rain today." for thing in map(str, range(60))]
    texts = {
        "loud": [f"@ann {it.upper()}" for it in alike],
        "calm": [f"@bob {it}" for it in alike],
    }

    found = authorship(texts)

    assert found.readings[0].value < 0.7


# ------------------------------------------------------------------ drift


def test_a_swap_of_personas_is_noticed_soon_and_nobody_is_suspected_of_one() -> None:
    found = drift(speech())

    assert failing(found.readings) == []
    assert max(one.noticed_after or 99 for one in found.swaps) <= SOON


def test_a_watch_that_cannot_tell_two_voices_apart_fails_the_measure() -> None:
    first, second, *_ = texts = dict(speech())
    both = [*texts[first], *texts[second]]

    found = drift({**texts, first: both[::2], second: both[1::2]})

    # Either it takes one for the other, or each for a stranger.
    assert failing(found.readings)


def test_voices_that_change_by_themselves_are_false_alarms() -> None:
    first, second, *_ = texts = dict(speech())
    half = len(texts[first]) // 2

    found = drift({**texts, first: [*texts[first][:half], *texts[second][half:]]})

    assert ("false alarms per text", "the cast") in failing(found.readings)


# ------------------------------------------------------------------ population


def test_personas_stay_apart_and_their_words_many() -> None:
    texts = speech()

    assert failing(population(texts, one_after_the_other(texts)).readings) == []


def test_a_cast_that_falls_into_one_voice_has_collapsed() -> None:
    texts = speech()
    everything = one_after_the_other(texts)
    one_voice = {handle: everything[at :: len(texts)] for at, handle in enumerate(texts)}
    shuffled = {handle: everything[at::7] for at, handle in enumerate(one_voice)}

    assert "Delta of the two who are least apart, in Deltas of their own halves" in dict(
        failing(population(shuffled, everything).readings)
    )


def test_words_that_become_fewer_over_a_life_are_told() -> None:
    texts = speech()
    everything = one_after_the_other(texts)
    later = [*everything[: len(everything) // 2], *everything[:10] * (len(everything) // 20)]

    assert "variety of the last third of the life, of that of the first" in dict(
        failing(population(texts, later).readings)
    )


@cache
def a_crowd() -> Texts:
    return crowd(count=120, each=48, seed=5)


def in_one_voice(texts: Texts, handles: Sequence[str]) -> Texts:
    everything = [text for handle in handles for text in texts[handle]]
    random.Random(1).shuffle(everything)
    count = len(handles)
    return {**texts, **{handle: everything[at::count] for at, handle in enumerate(handles)}}


APART = "how often one is nearer to oneself than to another"


def test_a_crowd_out_of_a_seed_has_many_voices() -> None:
    found = population(speech(), one_after_the_other(speech()), crowd=a_crowd())

    assert failing(found.readings) == []
    assert found.crowd is not None
    assert found.crowd.size == 120
    assert sum(found.crowd.own) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("share", [1, 2])
def test_a_crowd_of_which_half_or_all_speak_with_one_voice_has_collapsed(share: int) -> None:
    texts = in_one_voice(a_crowd(), sorted(a_crowd())[::share])

    found = population(speech(), one_after_the_other(speech()), crowd=texts)

    assert failing(found.readings) == [(APART, "a crowd")]


def test_a_crowd_that_says_the_same_word_for_word_has_collapsed() -> None:
    texts = dict.fromkeys(a_crowd(), ["We are all one.", "All of us are."] * 24)

    found = population(speech(), one_after_the_other(speech()), crowd=texts)

    assert failing(found.readings) == [(APART, "a crowd")]
    assert found.readings[-1].value == 0.5


@pytest.mark.parametrize("texts", [{}, {"ann": ["Hello."]}, {"ann": ["Hello."] * 12}])
def test_of_a_crowd_of_nobody_to_speak_of_nothing_is_said(texts: Texts) -> None:
    found = population(speech(), one_after_the_other(speech()), crowd=texts)

    assert found.crowd is None
    assert len(failing(found.readings)) == 1


# ------------------------------------------------------------------ all of them


@pytest.mark.parametrize("texts", [{}, {"ann": []}, {"ann": ["Hello."], "bob": ["Hi."]}])
def test_of_next_to_nothing_nothing_can_be_said(texts: Texts) -> None:
    in_order = [text for said in texts.values() for text in said]

    assert not hold(style([], texts).readings)
    assert not hold(authorship(texts).readings)
    assert not hold(drift(texts).readings)
    assert not hold(population(texts, in_order).readings)
    assert not hold([])
