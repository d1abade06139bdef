"""How varied words are is told: less of somebody who says the same again and again."""

import pytest
from tests.unit.measures.speech import speech

from puppet_engine.measures.variety import COMPARED, self_bleu, template_evenness, variety

pytestmark = [pytest.mark.unit, pytest.mark.xdist_group("measures")]


def told(said: list[str]) -> dict[str, float]:
    return {one.of: one.value for one in variety("ann", said)}


def test_self_bleu_is_one_of_the_same_text_and_nearly_nothing_of_unlike_ones() -> None:
    text = "the fog came in at noon"

    assert self_bleu([text] * 5) == pytest.approx(1)
    assert self_bleu([text, "my kettle has opinions about every spoon"]) < 0.05
    assert self_bleu([text]) == 0


def test_self_bleu_is_that_of_papineni_by_hand() -> None:
    # Four of five words, three of four pairs, two of three threes, one of two fours.
    by_hand = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25

    assert self_bleu(["a b c d e", "a b c d f"]) == pytest.approx(by_hand)


def test_a_text_shorter_than_all_others_is_penalised() -> None:
    short, long = "a b c d", "a b c d e f g h"

    assert self_bleu([short, long]) == pytest.approx(
        (2.718281828**-1 + (4 / 8 * 3 / 7 * 2 / 6 * 1 / 5) ** 0.25) / 2
    )


def test_somebody_who_speaks_in_one_template_is_told_from_the_cast() -> None:
    _, said = next(iter(speech().items()))
    things = [f"kettle{number} spoon{number % 7}" for number in range(len(said))]
    stuck = [f"I asked the {thing} and it said nothing to me." for thing in things]

    own, defect = told(list(said)), told(stuck)

    name = f"self-BLEU of {COMPARED} texts"
    assert own[name] < 0.7 < defect[name]
    assert own["evenness of templates"] > 0.7
    assert defect["evenness of templates"] == 0
    assert own["distinct 3-grams"] > defect["distinct 3-grams"]
    assert own["compression ratio"] < defect["compression ratio"]


def test_of_nothing_everything_is_told_as_nothing() -> None:
    assert set(told([]).values()) == {0.0}
    assert template_evenness(["One only."]) == 0
