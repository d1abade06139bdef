from datetime import timedelta

import httpx2

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import LLMUnavailableError
from puppet_engine.llm.base import CompletionRequest
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.simulation.fate import Fate
from puppet_engine.simulation.machine import PATIENCE_SECONDS, DistantProvider, Line, Wire
from puppet_engine.simulation.meter import Meter
from puppet_engine.simulation.scenario import FIRST_MOMENT, FaultKind, Scenario


class Post:
    """A server that counts what reaches it, and a wire to it on which every second call hangs."""

    def __init__(self) -> None:
        self.served = 0
        self.clock = VirtualClock(FIRST_MOMENT)
        scenario = Scenario(seed=1, days=1, faults={FaultKind.HANGING_CALLS: 0.5})
        self.fate = Fate(scenario, clock=self.clock)
        self.line = Line(self.fate)
        self.line.is_reliable = False
        self.meter = Meter()
        transport = httpx2.MockTransport(self._serve)
        self.wire = Wire(transport, line=self.line, meter=self.meter)

    def _serve(self, _request: httpx2.Request) -> httpx2.Response:
        self.served += 1
        return httpx2.Response(204)

    async def call(self, *, seconds: float | None) -> bool:
        """Call once, with the patience of a client; False when no answer came."""
        async with httpx2.AsyncClient(transport=self.wire, timeout=seconds) as client:
            try:
                await client.get("http://world.invalid/rpc")
            except httpx2.ReadTimeout:
                return False
        return True


async def test_a_call_that_hangs_takes_the_clients_patience_and_may_have_been_served() -> None:
    post = Post()

    answered = sum([await post.call(seconds=40) for _ in range(60)])

    hung = 60 - answered
    assert post.clock.now() - FIRST_MOMENT == hung * timedelta(seconds=40)
    assert post.fate.counts[FaultKind.HANGING_CALLS] == hung
    assert answered < post.served < 60


async def test_a_client_that_keeps_its_own_time_is_given_that_of_x() -> None:
    post = Post()

    while await post.call(seconds=None):
        pass

    assert post.clock.now() - FIRST_MOMENT == timedelta(seconds=PATIENCE_SECONDS)


async def test_nothing_hangs_while_an_engine_starts() -> None:
    post = Post()
    post.line.is_reliable = True

    assert all([await post.call(seconds=40) for _ in range(20)])


async def answers(model: DistantProvider, *, calls: int) -> tuple[int, list[LLMUnavailableError]]:
    """Ask that often; return how many answers came, and what was told instead of the others."""
    told: list[LLMUnavailableError] = []
    for _ in range(calls):
        try:
            await model.complete(CompletionRequest(prompt="Fog"))
        except LLMUnavailableError as error:
            told.append(error)
    return calls - len(told), told


async def test_a_model_hangs_as_servers_do_and_what_it_answered_in_vain_is_counted() -> None:
    post = Post()
    model = DistantProvider(
        FakeLLMProvider(), line=post.line, meter=post.meter, timeout_seconds=40
    )

    answered, told = await answers(model, calls=60)

    assert post.clock.now() - FIRST_MOMENT == len(told) * timedelta(seconds=40)
    assert all(error.may_be_billed for error in told)
    assert 0 < answered < post.meter.said(posts=0, replies=0).llm_calls < 60


async def test_an_answer_of_a_model_that_is_lost_may_be_billed() -> None:
    scenario = Scenario(seed=1, days=1, faults={FaultKind.LOST_REPLIES: 0.5})
    line = Line(Fate(scenario, clock=VirtualClock(FIRST_MOMENT)))
    line.is_reliable = False
    model = DistantProvider(FakeLLMProvider(), line=line, meter=Meter(), timeout_seconds=40)

    answered, told = await answers(model, calls=60)

    assert answered
    assert told
    assert all(error.may_be_billed for error in told)
