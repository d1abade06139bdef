"""The protocol: how a value is read, kept and told so that it is never older than it may be.

A reader takes the tokens of the fences, then reads the database, then stores, if the tokens are
still the same. A writer changes the tokens before it commits, and again after; in between, a
mark keeps everybody from storing. So what is stored was read after the last commit that passed
its fences. This process's own fences are in memory, so it sees its own writes at once; those of
others it sees when it asks the shared cache again, at the latest after `bound_seconds`.
"""

import time
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cachebox import LRUCache

from timber.common.caching.base import Look, SharedCache
from timber.common.caching.flights import Flights
from timber.common.caching.local import Entry, Fence, mark, touch, unmark, versions_of
from timber.common.caching.statistics import CacheStatistics
from timber.common.errors import SharedCacheUnavailableError

FIRST_PAUSE_SECONDS: Final = 0.001
"""How long a reader waits for one of another process at first; each wait is twice the last."""
LONGEST_WAIT_SECONDS: Final = 0.06
"""How long it waits altogether before it reads by itself."""
PATIENCE_SECONDS: Final = 1.0
"""How long it waits for one of its own process."""


ABSENT: Final = b"-"
"""What other processes are told where there is no such row."""
PRESENT: Final = b"+"
"""What comes before a value."""
_TRUSTED: Final = 0.95


class Codec(Protocol):
    """Makes bytes of values, for other processes."""

    def dumps(self, value: Any, /) -> bytes: ...

    def loads(self, written: bytes, /) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a cache."""

    key: Hashable
    name: str
    """The key, for other processes."""
    fences: tuple[Fence, ...]
    """What an answer lies behind."""
    absence: tuple[Fence, ...] = ()
    """What else the answer None lies behind."""
    ttl_seconds: float


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What several processes share."""

    cache: SharedCache
    epoch: Callable[[], str]
    """Returns what changes with every write that the shared cache was not told of."""
    forget_epoch: Callable[[], None]
    """Has the epoch be read again before it is relied on."""
    bound_seconds: float
    """How long the write of another process may stay unseen: half of it the epoch may be old,
    and half of it what this process knows is told without asking again."""

    @property
    def trusted_seconds(self) -> float:
        """How long what is known is told: less than the bound, in which it is read anew, too."""
        return self.bound_seconds * _TRUSTED


@dataclass
class Write:
    """What one transaction has passed."""

    writer: str
    fences: set[Fence] = field(default_factory=set)
    marked: set[Fence] = field(default_factory=set)
    """Those at which it is marked."""
    missed: bool = False
    """Whether the shared cache was not told."""
    may_stay: bool = False
    """Whether something of it may stay, even if it is rolled back."""


class FencedCache:
    """Reads through this process's memory, then the shared cache if there is one, then `load`."""

    def __init__(
        self,
        *,
        size: int,
        sharing: Sharing | None = None,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.statistics = CacheStatistics()
        self._entries: LRUCache[Hashable, Entry] = LRUCache(size)
        self._sharing = sharing
        self._timer = timer
        self._sleep = sleep
        self._clearings = 0
        self._flights = Flights(patience_seconds=patience_seconds)

    def lookup(self, key: Hashable) -> Entry | None:
        """Return what this process knows well enough to tell; None if it must be `read`."""
        entry: Entry | None = self._entries.get(key, None)
        if entry is None or self._timer() >= entry.trusted_until or not entry.is_current():
            return None
        statistics = self.statistics
        statistics.hits += 1
        if entry.value is None:
            statistics.negative_hits += 1
        return entry

    def read(self, question: Question, load: Callable[[], Any], codec: Codec) -> Any:
        """Return the value, which `load` reads from the database if nobody knows it.

        `load` must see everything that was committed before it was called.
        """
        with self._flights.joined(question.key) as is_first:
            if not is_first:
                self.statistics.waits += 1
                if (entry := self.lookup(question.key)) is not None:
                    return entry.value
            if self._sharing is None:
                return self._read_alone(question, load)
            return self._read_shared(question, load, codec, self._sharing)

    def _read_alone(self, question: Question, load: Callable[[], Any]) -> Any:
        fences = question.fences + question.absence
        versions, clearings = versions_of(fences), self._clearings
        value = self._loaded(load)
        was_cleared = self._clearings != clearings
        if versions is None or was_cleared or versions_of(fences) != versions:
            self.statistics.stale_prevented += 1
            return value
        expires = self._timer() + question.ttl_seconds
        self._keep(question, value, versions=versions, tokens=(), until=expires, expires=expires)
        return value

    def _read_shared(
        self, question: Question, load: Callable[[], Any], codec: Codec, sharing: Sharing
    ) -> Any:
        fences = question.fences + question.absence
        versions = versions_of(fences)
        try:
            asked = self._timer()
            epoch = sharing.epoch()
            look = self._look(question, epoch, sharing)
        except SharedCacheUnavailableError:
            self.statistics.errors += 1
            return self._loaded(load)
        if versions is None or look.pending:
            return self._loaded(load)
        tokens = (epoch.encode(), *look.tokens)
        trusted = asked + sharing.trusted_seconds / 2
        if (entry := self._trusted_again(question, tokens, until=trusted)) is not None:
            return entry.value
        if look.value is not None:
            self.statistics.shared_hits += 1
            value = None if look.value == ABSENT else codec.loads(look.value[1:])
            lasts = min(look.left_seconds, question.ttl_seconds)
        else:
            value = self._loaded(load)
            lasts = question.ttl_seconds
            trusted = self._timer() + sharing.trusted_seconds
            written = None if value is None else codec.dumps(value)
            if not self._store(question, epoch, look, written, sharing):
                return value
        expires = self._timer() + lasts
        self._keep(
            question, value, versions=versions, tokens=tokens, until=trusted, expires=expires
        )
        return value

    def _look(self, question: Question, epoch: str, sharing: Sharing) -> Look:
        """Ask the shared cache; while another process reads the same, give it a little time."""
        names = [fence.name for fence in question.fences + question.absence]
        pause = FIRST_PAUSE_SECONDS
        waited = 0.0
        while True:
            look = sharing.cache.look(names, _name(question, epoch))
            may_go_on = look.may_load or look.pending or look.value is not None
            if may_go_on or waited >= LONGEST_WAIT_SECONDS:
                return look
            if not waited:
                self.statistics.waits += 1
            self._sleep(pause)
            waited += pause
            pause *= 2

    def _store(
        self, question: Question, epoch: str, look: Look, written: bytes | None, sharing: Sharing
    ) -> bool:
        fences = question.fences + question.absence
        try:
            stored = sharing.cache.store(
                [fence.name for fence in fences],
                look.tokens,
                _name(question, epoch),
                ABSENT if written is None else PRESENT + written,
                deciding=len(question.fences if written is not None else fences),
                ttl_seconds=question.ttl_seconds,
            )
        except SharedCacheUnavailableError:
            self.statistics.errors += 1
            return False
        if not stored:
            self.statistics.stale_prevented += 1
        return stored

    def _trusted_again(
        self, question: Question, tokens: Sequence[bytes], *, until: float
    ) -> Entry | None:
        """Return what this process knows, if the shared cache says that it is still so."""
        entry: Entry | None = self._entries.get(question.key, None)
        if entry is None or not entry.is_current() or self._timer() >= entry.expires:
            return None
        if tuple(tokens[: len(entry.tokens)]) != entry.tokens:
            return None
        entry.trusted_until = min(until, entry.expires)
        self.statistics.hits += 1
        if entry.value is None:
            self.statistics.negative_hits += 1
        return entry

    def _keep(
        self,
        question: Question,
        value: Any,
        *,
        versions: tuple[int, ...],
        tokens: tuple[bytes, ...],
        until: float,
        expires: float,
    ) -> None:
        fences = question.fences
        if value is None:
            fences += question.absence
        deciding = len(fences)
        self._entries[question.key] = Entry(
            value,
            fences=fences,
            versions=versions[:deciding],
            tokens=tokens[: deciding + 1],
            trusted_until=min(until, expires),
            expires=expires,
        )

    def _loaded(self, load: Callable[[], Any]) -> Any:
        self.statistics.misses += 1
        return load()

    def begin(self, write: Write, *, when_missed: Callable[[], None]) -> None:
        """Mark what the transaction passes; call it before the transaction commits.

        `when_missed` must see to it, as part of the transaction, that the epoch changes.
        """
        fresh = write.fences - write.marked
        mark(fresh)
        write.marked |= fresh
        if self._sharing is None or not write.fences:
            return
        try:
            self._sharing.cache.begin([fence.name for fence in write.fences], write.writer)
        except SharedCacheUnavailableError:
            self.statistics.errors += 1
            write.missed = True
            when_missed()

    def end(self, write: Write) -> None:
        """Take the marks away; call it when the transaction has ended, in whatever way."""
        if not write.marked:
            return
        self.statistics.invalidations += 1
        try:
            if self._sharing is not None:
                self._end_shared(write, self._sharing)
        finally:
            unmark(write.marked)
            write.marked = set()

    def _end_shared(self, write: Write, sharing: Sharing) -> None:
        if write.missed:
            self.statistics.missed_invalidations += 1
            sharing.forget_epoch()
        try:
            sharing.cache.end([fence.name for fence in write.marked], write.writer)
        except SharedCacheUnavailableError:
            # The mark there lasts until it is too old to be a writer's, and what was stored
            # before it is told to nobody.
            self.statistics.errors += 1

    @contextmanager
    def writing(self, write: Write, *, when_missed: Callable[[], None]) -> Generator[None]:
        """Mark what a transaction passes while the block commits it."""
        try:
            self.begin(write, when_missed=when_missed)
            yield
        finally:
            self.end(write)

    def forget(self, fences: Sequence[Fence]) -> None:
        """Let nobody be told again what lies behind the fences.

        Raises:
            SharedCacheUnavailableError: other processes may still be told.

        """
        touch(fences)
        if self._sharing is not None:
            names = [fence.name for fence in fences]
            self._sharing.cache.end(names, "")

    def clear(self) -> None:
        """Forget every value, here and in the shared cache.

        Raises:
            SharedCacheUnavailableError: the shared cache has forgotten nothing.

        """
        self._clearings += 1
        self._entries.clear()
        if self._sharing is not None:
            self._sharing.cache.clear()

    def close(self) -> None:
        """Forget what this process knows, and let go of the shared cache."""
        self._entries.clear()
        if self._sharing is not None:
            self._sharing.cache.close()


def _name(question: Question, epoch: str) -> str:
    return f"{epoch}|{question.name}"
