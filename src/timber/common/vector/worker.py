"""A thread that keeps texts findable: it works off what was written, soon after the commit."""

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, event
from typing_extensions import override

from timber.common.errors import TimberError

_log: Final = logging.getLogger(__name__)

_SETTLE_SECONDS: Final = 0.05
"""For how long there must be no sign before it begins: it would hold up those who write."""

_MOST_WAITS: Final = 20
"""How often it waits so for a pause; then it begins all the same.

The first time it waits once alone: then the embedder loads its model, which takes as long as many
writes, and which a search would wait for.
"""

_LOOK_SECONDS: Final = 5.0
"""How often it looks without a sign: for what others have left, and what is to be tried again."""

_NICER: Final = 5
"""By so much, of 20: the other threads get three times as much of a processor that both want.

Not by more: the thread holds Python's lock while it waits for a processor, and then all wait for
it. On a machine that others keep busy a niceness of 10 made a write take four times as long.
"""


class IngestionWorker:
    """Works while it is started, bit by bit: `work` does one, and returns whether there is more.

    It is woken whenever a connection comes back, its work committed. Where nobody stops it, the
    end of the process does: a thread that ends within a model's code makes the process abort.
    """

    def __init__(self, *, work: Callable[[], bool]) -> None:
        self._work = work
        self._thread: _Thread | None = None
        self._engine: Engine | None = None

    def start(self, engine: Engine) -> None:
        """Begin to work."""
        self._thread = _Thread(self._work)
        self._engine = engine
        event.listen(engine, "checkin", self._thread.wake)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the work that is under way, and begin no other; stopping again does nothing."""
        thread, self._thread = self._thread, None
        if thread is None or self._engine is None:
            return
        atexit.unregister(self.stop)
        event.remove(self._engine, "checkin", thread.wake)
        thread.end()


class _Thread(threading.Thread):
    def __init__(self, work: Callable[[], bool]) -> None:
        super().__init__(name="timber-vectors", daemon=True)
        self._do = work
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._has_worked = False
        self._woken.set()  # for what was left from before

    def wake(self, *_: Any) -> None:
        """Look whether there is something to do; what it does itself is no sign."""
        if threading.current_thread() is not self:
            self._woken.set()

    def end(self) -> None:
        self._ended.set()
        self._woken.set()
        self.join()

    def _settle(self) -> None:
        """Wait for a pause in what is written, but not for long."""
        for _ in range(_MOST_WAITS if self._has_worked else 1):
            self._woken.clear()
            if self._ended.wait(_SETTLE_SECONDS) or not self._woken.is_set():
                break
        self._woken.clear()

    @override
    def run(self) -> None:
        _make_way()
        while not self._ended.is_set():
            self._woken.wait(_LOOK_SECONDS)
            self._settle()
            try:
                while not self._ended.is_set() and self._do():
                    self._has_worked = True
            except TimberError as error:
                _log.warning("some texts cannot be found by their meaning yet: %s", error)
            except Exception:  # noqa: BLE001 - whatever it is, the thread goes on: the next time may be better
                _log.exception("texts could not be taken in; they are tried again")


def _make_way() -> None:
    """Let the other threads of the process go first: of those somebody waits for the end.

    On Linux a thread has a priority of its own, and those that it begins have the same; elsewhere
    the whole process would have it.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(
            os.PRIO_PROCESS, thread, niceness + _NICER
        )  # 19 at the most, whatever it is
