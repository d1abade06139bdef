"""What was paid for is not paid for again."""

from datetime import timedelta

import pytest
from tests.fakes import ScriptedLLM
from tests.fickle_network import START
from tests.lent_storages import LendStorage
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import LLMUnavailableError
from puppet_engine.llm.base import Completion, CompletionOptions, CompletionRequest, LLMProvider
from puppet_engine.llm.journalled import JournalledProvider
from puppet_engine.storage.answers import KEPT, AnswerJournal, StoredAnswers

ASKED = CompletionRequest(prompt="It is 12:00. Speak.", options=CompletionOptions(seed=1))
LATER = CompletionRequest(prompt="It is 12:01. Speak.", options=CompletionOptions(seed=1))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.integration)])
async def journal(
    request: pytest.FixtureRequest, lend_storage: LendStorage, clock: VirtualClock
) -> AnswerJournal:
    return StoredAnswers(await lend_storage(clock=clock, kind=request.param))


def a_turn(
    llm: ScriptedLLM, journal: AnswerJournal, occasion: str = "ada 1"
) -> JournalledProvider:
    return JournalledProvider(llm, journal=journal, occasion=occasion)


async def said(provider: LLMProvider, request: CompletionRequest) -> str:
    return (await provider.complete(request)).text


async def test_a_turn_taken_again_gets_its_answers_without_paying(journal: AnswerJournal) -> None:
    llm = ScriptedLLM("one", "two", "three")
    first = a_turn(llm, journal)
    answers = [await said(first, ASKED), await said(first, ASKED)]

    again = a_turn(llm, journal)
    repeated = [await said(again, LATER), await said(again, LATER)]

    assert answers == repeated == ["one", "two"]
    assert len(llm.requests) == 2


async def test_a_call_that_was_not_made_before_is_made(journal: AnswerJournal) -> None:
    llm = ScriptedLLM("one", "two")
    await said(a_turn(llm, journal), ASKED)

    again = a_turn(llm, journal)

    assert [await said(again, ASKED), await said(again, ASKED)] == ["one", "two"]


async def test_a_call_of_another_kind_is_made(journal: AnswerJournal) -> None:
    llm = ScriptedLLM("one", "two")
    await said(a_turn(llm, journal), ASKED)
    other = CompletionRequest(prompt=ASKED.prompt, options=CompletionOptions(seed=2))

    assert await said(a_turn(llm, journal), other) == "two"
    assert await said(a_turn(llm, journal), other) == "two"
    assert len(llm.requests) == 2


async def test_each_turn_has_answers_of_its_own(journal: AnswerJournal) -> None:
    llm = ScriptedLLM("one", "two")
    await said(a_turn(llm, journal, "ada 1"), ASKED)

    assert await said(a_turn(llm, journal, "ada 2"), ASKED) == "two"


async def test_answers_that_were_no_good_are_forgotten(journal: AnswerJournal) -> None:
    llm = ScriptedLLM("one", "two")
    await said(a_turn(llm, journal), ASKED)

    await journal.forget("ada 1")

    assert await said(a_turn(llm, journal), ASKED) == "two"


async def test_a_model_that_fails_leaves_nothing_behind(journal: AnswerJournal) -> None:
    class Failing(ScriptedLLM):
        @override
        async def complete(self, request: CompletionRequest) -> Completion:
            raise LLMUnavailableError(f"overloaded by {request.prompt!r}")

    with pytest.raises(LLMUnavailableError):
        await said(a_turn(Failing(""), journal), ASKED)

    assert await said(a_turn(ScriptedLLM("one"), journal), ASKED) == "one"


async def test_old_answers_are_taken_away_as_time_goes_by(
    journal: AnswerJournal, clock: VirtualClock
) -> None:
    llm = ScriptedLLM("one", "two", "three")
    await said(a_turn(llm, journal, "ada 1"), ASKED)
    clock.advance(KEPT + timedelta(hours=1))
    await said(a_turn(llm, journal, "ada 2"), ASKED)

    assert await said(a_turn(llm, journal, "ada 1"), ASKED) == "three"
    assert await said(a_turn(llm, journal, "ada 2"), ASKED) == "two"
