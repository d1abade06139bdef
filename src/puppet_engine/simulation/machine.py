"""The machine that an engine is simulated on: its disk and its lines, which obey fate."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import httpx2
from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import IdFactory
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.endpoints import Endpoint
from puppet_engine.llm.wire_errors import connection_error, timeout_error
from puppet_engine.llm.wrapper import WrapperProvider
from puppet_engine.simulation.fate import Fate
from puppet_engine.simulation.meter import Meter
from puppet_engine.storage.inline import InlineStorage

T = TypeVar("T")

PATIENCE_SECONDS: Final = 15
"""How long a client waits that keeps its own time, as that of X does."""

WORLD_BRAIN: Final = Endpoint(name="rehearsal", title="the rehearsal world", is_free=True)


class Disk(InlineStorage):
    """A database on which a process can end before and after each commit."""

    def __init__(
        self, database_url: str, *, clock: Clock, ids: IdFactory, fate: Fate, **options: Any
    ) -> None:
        super().__init__(database_url, clock=clock, ids=ids, **options)
        self._fate = fate

    @override
    def _transact(self, work: Callable[[Any], T]) -> T:
        return self._at_risk(super()._transact, work)

    @override
    def _look(self, work: Callable[[Any], T]) -> T:
        return self._at_risk(super()._look, work)

    def _at_risk(self, act: Callable[[Callable[[Any], T]], T], work: Callable[[Any], T]) -> T:
        self._fate.step()
        self._fate.write()
        result = act(work)
        self._fate.step()
        return result


class Line:
    """The way to any server, on which a process can end and answers can be lost."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate
        self.is_reliable = True
        """Whether no answer is lost, whatever fate says: so it is while an engine starts."""

    async def carry(
        self,
        call: Callable[[], Awaitable[T]],
        *,
        patience_seconds: float,
        silence: Callable[[], Exception],
        loss: Callable[[], Exception],
    ) -> T:
        """Return what a call comes to; raise `silence` when it hangs, or that its answer is lost.

        Who waits in vain waits as long as their patience is.
        """
        self._fate.step()
        hangs = not self.is_reliable and self._fate.hangs()
        if hangs and not self._fate.reaches():
            self._fate.wait(timedelta(seconds=patience_seconds))
            raise silence()
        result = await call()
        self._fate.step()
        if hangs:
            self._fate.wait(timedelta(seconds=patience_seconds))
            raise silence()
        if not self.is_reliable and self._fate.loses_reply():
            raise loss()
        return result


class Wire(httpx2.AsyncBaseTransport):
    """Carries requests to the world over a line."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, *, line: Line, meter: Meter) -> None:
        self._inner = inner
        self._line = line
        self._meter = meter

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        async def call() -> httpx2.Response:
            response = await self._inner.handle_async_request(request)
            body = await response.aread()
            self._meter.count(request.method, request.url.path, response.status_code, body)
            return response

        limits = request.extensions.get("timeout") or {}
        return await self._line.carry(
            call,
            patience_seconds=limits.get("read") or PATIENCE_SECONDS,
            silence=lambda: httpx2.ReadTimeout("no answer came in time", request=request),
            loss=lambda: httpx2.ReadError("the answer was lost on its way", request=request),
        )


class DistantProvider(WrapperProvider):
    """Asks a model at the other end of a line, and counts what its answers take."""

    def __init__(
        self, inner: LLMProvider, *, line: Line, meter: Meter, timeout_seconds: float
    ) -> None:
        super().__init__(inner)
        self._line = line
        self._meter = meter
        self._timeout_seconds = timeout_seconds

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        async def call() -> Completion:
            completion = await self.inner.complete(request)
            self._meter.count_completion(completion.usage)
            return completion

        return await self._line.carry(
            call,
            patience_seconds=self._timeout_seconds,
            silence=lambda: timeout_error(WORLD_BRAIN, self._timeout_seconds, None),
            loss=lambda: connection_error(WORLD_BRAIN, EOFError("the answer was lost")),
        )
