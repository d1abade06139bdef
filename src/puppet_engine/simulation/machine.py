"""The machine that an engine is simulated on: its disk and its wires, which obey fate."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import httpx2
from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import IdFactory
from puppet_engine.simulation.fate import Fate
from puppet_engine.simulation.meter import Meter
from puppet_engine.storage.inline import InlineStorage

T = TypeVar("T")

PATIENCE_SECONDS: Final = 15
"""How long a client waits that keeps its own time, as that of X does."""


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


class Wire(httpx2.AsyncBaseTransport):
    """Carries requests to the world, on which a process can end and answers can be lost."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, *, fate: Fate, meter: Meter) -> None:
        self._inner = inner
        self._fate = fate
        self._meter = meter
        self.is_reliable = True
        """Whether no answer is lost, whatever fate says: so it is while an engine starts."""

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._fate.step()
        hangs = not self.is_reliable and self._fate.hangs()
        if hangs and not self._fate.reaches():
            raise self._silence(request)
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        self._meter.count(request.method, request.url.path, response.status_code, body)
        self._fate.step()
        if hangs:
            raise self._silence(request)
        if not self.is_reliable and self._fate.loses_reply():
            raise httpx2.ReadError("the answer was lost on its way", request=request)
        return response

    def _silence(self, request: httpx2.Request) -> httpx2.ReadTimeout:
        """Wait as long as the client would, and return what it is told then."""
        limits = request.extensions.get("timeout") or {}
        self._fate.wait(timedelta(seconds=limits.get("read") or PATIENCE_SECONDS))
        return httpx2.ReadTimeout("no answer came in time", request=request)
