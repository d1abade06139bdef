"""What is particular to each wrapper around a provider."""

import json
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel, Field
from tests.fickle_network import START
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    LLMRefusedError,
    LLMUnavailableError,
    MissingCredentialError,
    ModelBudgetError,
    RecordingError,
)
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.base import (
    Completion,
    CompletionOptions,
    CompletionRequest,
    LLMProvider,
)
from puppet_engine.llm.breaking import BreakingProvider
from puppet_engine.llm.examples import example_of
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.llm.fallback import FallbackProvider
from puppet_engine.llm.recorded import RecordingProvider, ReplayingProvider
from puppet_engine.llm.retrying import LONGEST_PAUSE, RetryingProvider

ASKED = CompletionRequest(prompt="Fog?", options=CompletionOptions(seed=1))


class Fickle(LLMProvider):
    """Meets what is planned, one after the other, and answers when nothing is left."""

    def __init__(self, *plan: Exception | str) -> None:
        self.plan: list[Exception | str] = list(plan)
        self.calls = 0
        self.is_open = True

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        self.calls += 1
        met = self.plan.pop(0) if self.plan else "Fog."
        if isinstance(met, Exception):
            raise met
        return Completion(text=met, model="m")

    @override
    async def aclose(self) -> None:
        self.is_open = False


def busy(**facts: object) -> LLMUnavailableError:
    return LLMUnavailableError("busy", **facts)  # type: ignore[arg-type] # as the test has it


# -------------------------------------------------------------------- retrying


class Pauses:
    """Notes how long somebody wanted to sleep, and lets him go on."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def retrying(inner: LLMProvider, sleep: Pauses, attempts: int = 4) -> RetryingProvider:
    return RetryingProvider(inner, attempts=attempts, chance=random.Random(1), sleep=sleep)


async def test_what_came_to_nothing_is_asked_again_after_pauses_that_may_grow() -> None:
    inner, pauses = Fickle(busy(), busy(), busy()), Pauses()

    completion = await retrying(inner, pauses).complete(ASKED)

    assert completion.text == "Fog."
    assert inner.calls == 4
    assert len(pauses.seconds) == 3
    assert all(0 <= pause <= 2**number for number, pause in enumerate(pauses.seconds))


async def test_it_is_asked_so_often_and_not_more() -> None:
    inner, pauses = Fickle(*[busy() for _ in range(9)]), Pauses()

    with pytest.raises(LLMUnavailableError):
        await retrying(inner, pauses).complete(ASKED)

    assert inner.calls == 4
    assert len(pauses.seconds) == 3


async def test_a_server_is_asked_again_when_it_wants_to_be() -> None:
    inner, pauses = Fickle(busy(retry_after=7.5)), Pauses()

    await retrying(inner, pauses).complete(ASKED)

    assert pauses.seconds == [7.5]


@pytest.mark.parametrize(
    "error",
    [
        LLMRefusedError("no"),
        busy(may_be_billed=True),
        busy(usage=ModelUsage(input_tokens=9)),
        busy(retry_after=LONGEST_PAUSE + 1),
    ],
    ids=["refused", "perhaps billed", "billed", "too long a pause"],
)
async def test_what_may_have_cost_something_or_will_not_help_is_not_asked_again(
    error: Exception,
) -> None:
    inner, pauses = Fickle(error), Pauses()

    with pytest.raises(type(error)):
        await retrying(inner, pauses).complete(ASKED)

    assert inner.calls == 1
    assert pauses.seconds == []


# -------------------------------------------------------------------- the breaker


async def test_a_model_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    clock = VirtualClock(START)
    inner = Fickle(*[busy() for _ in range(5)])
    breaking = BreakingProvider(inner, name="there", clock=clock)
    for _ in range(5):
        with pytest.raises(LLMUnavailableError, match="busy"):
            await breaking.complete(ASKED)

    with pytest.raises(LLMUnavailableError, match="left alone until") as caught:
        await breaking.complete(ASKED)
    assert inner.calls == 5
    assert caught.value.retry_after == pytest.approx(60)

    clock.advance(timedelta(minutes=1))
    assert (await breaking.complete(ASKED)).text == "Fog."
    assert (await breaking.complete(ASKED)).text == "Fog."


async def test_a_no_is_an_answer_and_breaks_nothing() -> None:
    inner = Fickle(*[LLMRefusedError("no") for _ in range(20)])
    breaking = BreakingProvider(inner, name="there", clock=VirtualClock(START))

    for _ in range(20):
        with pytest.raises(LLMRefusedError):
            await breaking.complete(ASKED)

    assert inner.calls == 20


# -------------------------------------------------------------------- fallback


@pytest.mark.parametrize(
    "error",
    [
        busy(),
        busy(may_be_billed=True),
        MissingCredentialError("OpenAI", ["OPENAI_API_KEY"]),
        ModelBudgetError("spent", resets_at=START),
    ],
)
async def test_a_stand_in_answers_for_one_who_cannot(error: Exception) -> None:
    first, second, third = Fickle(error), Fickle("I stand in."), Fickle()

    completion = await FallbackProvider([first, second, third]).complete(ASKED)

    assert completion.text == "I stand in."
    assert third.calls == 0


async def test_nobody_is_asked_behind_the_back_of_a_model_that_declines() -> None:
    second = Fickle()

    with pytest.raises(LLMRefusedError):
        await FallbackProvider([Fickle(LLMRefusedError("no")), second]).complete(ASKED)

    assert second.calls == 0


async def test_when_all_fail_the_error_of_the_last_is_told() -> None:
    chain = FallbackProvider([Fickle(busy()), Fickle(LLMUnavailableError("also busy"))])

    with pytest.raises(LLMUnavailableError, match="also busy"):
        await chain.complete(ASKED)


async def test_all_of_a_chain_are_closed() -> None:
    links = [Fickle(), Fickle()]

    await FallbackProvider(links).aclose()

    assert not any(link.is_open for link in links)


# -------------------------------------------------------------------- recorded


async def answers(provider: LLMProvider, requests: Sequence[CompletionRequest]) -> list[object]:
    told: list[object] = []
    for request in requests:
        try:
            told.append(await provider.complete(request))
        except (LLMUnavailableError, LLMRefusedError) as error:
            told.append((type(error), f"{error}"))
    return told


async def test_a_recording_answers_as_the_model_did_and_asks_nobody(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "calls.jsonl"
    other = CompletionRequest(prompt="Rain?\u2028And\u0085wind?")
    inner = Fickle("one", busy(), "two\u2028lines", LLMRefusedError("no"))
    calls = [ASKED, ASKED, other, other, ASKED]

    lived = await answers(RecordingProvider(inner, file=file), calls)
    replayed = await answers(ReplayingProvider(file), calls)

    assert replayed == lived
    assert len(lived) == inner.calls == 5


async def test_a_call_that_was_not_recorded_is_named_with_the_cure(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    await RecordingProvider(Fickle(), file=file).complete(ASKED)
    replaying = ReplayingProvider(file)
    await replaying.complete(ASKED)

    with pytest.raises(RecordingError, match=r"no \(more\) answer to 'Fog\?'.*RECORD_TO"):
        await replaying.complete(ASKED)
    with pytest.raises(RecordingError, match="'Snow"):
        await replaying.complete(CompletionRequest(prompt="Snow?"))


async def test_a_broken_recording_is_refused_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    await RecordingProvider(Fickle(), file=file).complete(ASKED)
    file.write_text(file.read_text() + '{"call": {"prompt": "to')

    with pytest.raises(RecordingError, match=r"calls\.jsonl:2: this is no recorded call"):
        await ReplayingProvider(file).complete(ASKED)
    with pytest.raises(RecordingError, match="cannot be read"):
        await ReplayingProvider(tmp_path / "none").complete(ASKED)


# -------------------------------------------------------------------- objects


class Mood(BaseModel):
    """Something with parts of all kinds."""

    name: str = Field(max_length=12)
    share: float = Field(ge=0, lt=1)
    level: int = Field(gt=0, le=3)
    tags: list[str] = Field(min_length=1, max_length=3)
    inner: "Mood | None" = None
    kind: str | int | None = None


class Decision(BaseModel):
    """A decision of an agent."""

    act: bool
    moods: list[Mood]


@given(st.integers(0, 2**32))
def test_examples_fit_their_schema(seed: int) -> None:
    schema = Decision.model_json_schema()

    example = example_of(schema, random.Random(seed), say=lambda: "a long text of words")

    jsonschema.validate(example, schema)
    assert Decision.model_validate_json(json.dumps(example)).model_dump(mode="json")


async def test_the_fake_answers_in_any_form_and_differently_to_other_requests() -> None:
    fake = FakeLLMProvider()
    requests = [CompletionRequest(prompt=f"Decide {number}") for number in range(8)]

    decisions = [(await fake.complete_as(request, Decision)).value for request in requests]
    again = (await fake.complete_as(requests[0], Decision)).value

    assert again == decisions[0]
    assert len({decision.model_dump_json() for decision in decisions}) > 4
