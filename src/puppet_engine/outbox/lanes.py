"""What goes out behind the backs of the turns: one task for each account that has something."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from puppet_engine.core.clock import Clock

log = logging.getLogger(__name__)


@dataclass
class _Lane:
    is_wanted: bool = True
    task: asyncio.Task[None] | None = None


class Lanes:
    """Has accounts cleared in the background, each by itself."""

    def __init__(self, clear: Callable[[str], Awaitable[object]], *, clock: Clock) -> None:
        self._clear = clear
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._failure: Exception | None = None

    def kick(self, account: str) -> None:
        """Have an account cleared soon, once more if it is being cleared just now.

        Raises:
            StorageError: what became of an earlier one could not be noted.

        """
        self._raise_failure()
        # Forgotten when nothing is under way: there may be a million of them.
        lane = self._lanes.setdefault(account, _Lane())
        lane.is_wanted = True
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(account, lane), name=f"outbox {account}")

    async def drain(self) -> None:
        """Wait until all that was kicked is done. Raises what `kick` raises."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.gather(*tasks)
        self._raise_failure()

    async def _run(self, account: str, lane: _Lane) -> None:
        try:
            with self._clock.in_flight():
                while lane.is_wanted:
                    lane.is_wanted = False
                    await self._clear(account)
        except Exception as error:  # the border of a background task
            log.exception("the outbox of %s cannot be noted", account)
            self._failure = error
        finally:
            del self._lanes[account]

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
