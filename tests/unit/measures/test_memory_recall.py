"""What is measured falls when what it measures is broken."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from itertools import count

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.settings import Settings
from puppet_engine.measures.circles import ASKED_AT as CIRCLES_ASKED_AT, circles
from puppet_engine.measures.dialogues import ASKED_AT, Kind, Talks, talks
from puppet_engine.measures.friendships import friendships
from puppet_engine.measures.recall import Recall, measure, tell
from puppet_engine.memory.ranking import USUAL, Weights
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.inline import InlineStorage

pytestmark = pytest.mark.unit


class Memories:
    """An agent that was told everything, and can be asked with any weights."""

    def __init__(self, storage: InlineStorage, said: Talks, turns: Mapping[str, int]) -> None:
        self.storage, self.said, self.turns = storage, said, turns

    async def asked(self, weights: Weights, *kinds: Kind) -> Recall:
        clock = VirtualClock(ASKED_AT)
        store = SQLiteStore(Settings(), storage=self.storage, clock=clock, weights=weights)
        questions = [one for one in self.said.questions if not kinds or one.kind in kinds]
        ticks = count()
        found = await measure(store, "ada", questions, self.turns, timer=lambda: next(ticks))
        return found["all"]


@pytest.fixture
async def memories() -> AsyncGenerator[Memories]:
    clock = VirtualClock(ASKED_AT)
    options = {"clock": clock, "ids": random_id, "embedder": "static"}
    storage = InlineStorage("sqlite:///:memory:", **options)
    await storage.open()
    said = talks(people=5, topics=8)
    store = SQLiteStore(Settings(), storage=storage, clock=clock)
    yield Memories(storage, said, await tell(store, "ada", said))
    await storage.close()


async def test_what_was_told_is_found_again_and_less_so_when_a_part_is_broken(
    memories: Memories,
) -> None:
    """One test for all defects: what is told to an agent is told once."""
    whole = await memories.asked(USUAL)
    assert whole.recall[10] > 0.8
    assert whole.mrr > 0.5

    without_context = await memories.asked(replace(USUAL, near={}, context=0))
    assert without_context.mrr < whole.mrr - 0.05

    without_words = await memories.asked(replace(USUAL, text=0))
    assert without_words.mrr < whole.mrr - 0.03

    of_a_day = await memories.asked(USUAL, Kind.TEMPORAL)
    described = await memories.asked(USUAL, Kind.MULTI_HOP)
    assert described.recall[10] > 0.65

    without_time = await memories.asked(replace(USUAL, time=0), Kind.TEMPORAL)
    assert without_time.recall[10] < of_a_day.recall[10] - 0.2


def test_a_seed_tells_the_same_talks() -> None:
    assert talks(seed=3) == talks(seed=3)
    assert talks(seed=3) != talks(seed=4)


def test_every_kind_of_question_is_asked_and_its_evidence_was_said() -> None:
    said = talks()

    numbers = {one.number for one in said.turns}
    assert {one.kind for one in said.questions} == set(Kind) - {Kind.OPEN_DOMAIN}
    assert all(one.evidence <= numbers for one in said.questions)
    assert len(said.questions) > 250


def test_no_answer_shares_the_value_of_another_person() -> None:
    said = talks()
    told = {one.number: one.memory.content.partition(": ")[2] for one in said.turns}

    direct = (Kind.SINGLE_HOP, Kind.ADVERSARIAL, Kind.KNOWLEDGE_UPDATE)
    answers = [told[min(one.evidence)] for one in said.questions if one.kind in direct]
    assert len(set(answers)) == len(answers)


def test_the_second_set_is_told_of_a_seed_and_cites_what_was_said() -> None:
    pairs = friendships(seed=3)

    assert pairs == friendships(seed=3)
    assert pairs != friendships(seed=4)
    for one in pairs:
        told = {turn.number: turn.memory.metadata["speaker"] for turn in one.said.turns}
        assert len(told) > 400
        kinds = {question.kind for question in one.said.questions}
        assert kinds == {Kind.SINGLE_HOP, Kind.MULTI_HOP, Kind.TEMPORAL, Kind.OPEN_DOMAIN}
        for question in one.said.questions:
            (named,) = {who for who in one.said.people if who in question.text}
            assert {told[number] for number in question.evidence} == {named}
        assert len(one.unanswerable) == 24


def test_the_two_sets_share_no_question_and_no_sentence() -> None:
    first, second = talks(), [one.said for one in friendships()]

    said = {turn.memory.content.partition(": ")[2] for turn in first.turns}
    asked = {one.text for one in first.questions}
    for other in second:
        assert said.isdisjoint(turn.memory.content for turn in other.turns)
        assert asked.isdisjoint(one.text for one in other.questions)


def test_the_held_out_set_cites_what_was_said_and_shares_no_question_with_the_others() -> None:
    told = circles()
    others = [talks(), *(one.said for one in friendships())]

    asked = {one.text for circle in told for one in circle.said.questions}
    assert len(asked) > 70
    assert all(asked.isdisjoint(one.text for one in other.questions) for other in others)
    people = {one for circle in told for one in circle.said.people}
    assert all(people.isdisjoint(other.people) for other in others)
    for circle in told:
        numbers = [one.number for one in circle.said.turns]
        moments = [one.said_at for one in circle.said.turns]
        assert moments == sorted(moments)
        assert moments[-1] < CIRCLES_ASKED_AT
        for question in circle.said.questions:
            assert question.evidence <= set(numbers)
            speakers = {
                circle.said.turns[one].memory.metadata["speaker"] for one in question.evidence
            }
            assert len(speakers) == 1
            assert any(who.title() in question.text for who in speakers)
        assert all(
            any(who in one for who in circle.said.people) for one in circle.wrong + circle.untold
        )
