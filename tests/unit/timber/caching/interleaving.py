"""Runs processes that share a cache and a database one step at a time, in any order."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # it has no types
from hypothesis import strategies as st
from tests.unit.timber.caching.memory_cache import MemoryCache
from typing_extensions import override

from timber.common.caching import codec
from timber.common.caching.base import Look
from timber.common.caching.fencing import FencedCache, Question, Sharing, Write
from timber.common.caching.local import TableFences
from timber.common.errors import SharedCacheUnavailableError

BOUND = 8.0
"""How long the write of another process may stay unseen, in steps."""
FAR = 1e9


class Dead(BaseException):
    """A process was killed at this step."""


@dataclass
class World:
    """What the processes share: a database with one row, its epoch, a cache, and the time."""

    now: float = 0.0
    committed: list[tuple[float, int]] = field(default_factory=lambda: [(-FAR, 0)])
    """When which version of the row was committed."""
    epoch: int = 0
    cache: MemoryCache = field(default_factory=MemoryCache)
    is_reachable: bool = True
    wrong: list[str] = field(default_factory=list)
    versions: Any = field(default_factory=lambda: itertools.count(1))

    def row(self) -> int:
        return self.committed[-1][1]

    def oldest_allowed(self, asked: float, bound: float) -> int:
        """Return the version that was committed last before a bound before the question."""
        return max(version for when, version in self.committed if when <= asked - bound)


class Thread(greenlet):  # type: ignore[misc, no-any-unimported]  # as said
    """One thread of a process; once that is killed, it takes no further step."""

    is_killed = False


def step(world: World) -> None:
    """Let others go on, until the scheduler comes back."""
    thread: Any = getcurrent()
    if not thread.is_killed:
        thread.parent.switch()
    if thread.is_killed:
        raise Dead
    world.now += 1


class SteppedCache(MemoryCache):
    """The shared cache as a process reaches it: over a network, or not at all."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _reached(self) -> MemoryCache:
        step(self._world)
        if not self._world.is_reachable:
            raise SharedCacheUnavailableError
        return self._world.cache

    @override
    def look(self, *arguments: Any) -> Look:
        answer = self._reached().look(*arguments)
        step(self._world)
        return answer

    @override
    def store(self, *arguments: Any, **options: Any) -> bool:
        return self._reached().store(*arguments, **options)

    @override
    def begin(self, *arguments: Any) -> None:
        self._reached().begin(*arguments)

    @override
    def end(self, *arguments: Any) -> None:
        self._reached().end(*arguments)


class CarelessCache(SteppedCache):
    """A planted defect: it stores whatever has happened since the reader asked."""

    @override
    def store(self, fences: Sequence[str], *arguments: Any, **options: Any) -> bool:
        cache = self._reached()
        _, *rest = arguments
        return cache.store(fences, cache.look(fences, "").tokens, *rest, **options)


class Reads(Protocol):
    """A process that reads and writes the row through a cache."""

    def read(self) -> int: ...

    def write(self, *, undone: bool) -> None: ...


class Fenced:
    """A process with the cache under test."""

    shared: type[SteppedCache] = SteppedCache

    def __init__(self, world: World) -> None:
        self._world = world
        self._table = TableFences("t")
        self._epoch: tuple[float, int] = (-FAR, 0)
        self._writers = itertools.count()
        sharing = Sharing(
            cache=self.shared(world),
            epoch=self._current_epoch,
            forget_epoch=self._forget_epoch,
            bound_seconds=BOUND,
        )
        self._cache = FencedCache(
            size=10,
            sharing=sharing,
            timer=lambda: world.now,
            sleep=lambda _seconds: step(world),
            patience_seconds=0,
        )

    def read(self) -> int:
        entry = self._cache.lookup("k")
        if entry is not None:
            return int(entry.value)
        question = Question(
            key="k",
            name="k",
            fences=(self._table.every, self._table.slot(("k",))),
            ttl_seconds=FAR,
        )
        return int(self._cache.read(question, self._load, codec))

    def write(self, *, undone: bool) -> None:
        fences = {self._table.any, self._table.slot(("k",))}
        write = Write(writer=f"{id(self)}-{next(self._writers)}", fences=fences)
        step(self._world)
        if undone:
            self._cache.end(write)
            return
        missed: list[int] = []
        with self._cache.writing(write, when_missed=lambda: missed.append(1)):
            step(self._world)
            world = self._world
            world.committed.append((world.now, next(world.versions)))
            world.epoch += len(missed)
            step(self._world)

    def _load(self) -> int:
        step(self._world)
        row = self._world.row()
        step(self._world)
        return row

    def _current_epoch(self) -> str:
        read_at, epoch = self._epoch
        if self._world.now >= read_at + BOUND / 2:
            read_at, epoch = self._epoch = (self._world.now, self._world.epoch)
            step(self._world)
        return str(epoch)

    def _forget_epoch(self) -> None:
        self._epoch = (-FAR, 0)


class Careless(Fenced):
    """A process whose shared cache does not compare."""

    shared: type[SteppedCache] = CarelessCache


class Naive:
    """The planted defect: look, else read and store; after a commit, forget."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self) -> int:
        world = self._world
        step(world)
        held = world.cache.look([], "k").value
        if held is not None:
            return int(held)
        step(world)
        row = world.row()
        step(world)
        world.cache.store([], [], "k", str(row).encode(), deciding=0, ttl_seconds=FAR)
        return row

    def write(self, *, undone: bool) -> None:
        world = self._world
        step(world)
        if undone:
            return
        world.committed.append((world.now, next(world.versions)))
        step(world)
        world.cache.clear()


Order = Sequence[int]
Plan = Sequence[Sequence[str]]

plans = st.lists(
    st.lists(st.sampled_from(["read", "read", "write", "undo"]), min_size=1, max_size=4),
    min_size=2,
    max_size=3,
)
"""What each thread does; thread by turns in one of two processes."""
orders = st.lists(st.integers(0, 9), min_size=20, max_size=100)
"""Which thread goes on next; the numbers beyond the threads let Redis come and go, or kill one."""


def run(make: Callable[[World], Reads], plan: Plan, order: Order, *, faults: bool) -> list[str]:
    """Run the plan in that order, to its end, and return what was told that is too old."""
    lives = Lives(make, plan)
    for choice in order:
        if faults and choice >= COME_OR_GO:
            lives.suffer(choice)
        else:
            lives.go_on(choice)
        lives.world.now += 0.1
    lives.end()
    return lives.world.wrong


COME_OR_GO = 8
"""The choice that lets the shared cache come or go; the next one kills a process."""


class Lives:
    """Two processes and their threads."""

    def __init__(self, make: Callable[[World], Reads], plan: Plan) -> None:
        self.world = World()
        self._alive = [make(self.world), make(self.world)]
        pairs = zip(plan, itertools.cycle(self._alive), strict=False)
        self._threads = [Thread(partial(self._live, process, acts)) for acts, process in pairs]

    def go_on(self, choice: int) -> None:
        """Let one thread take a step."""
        thread = self._threads[choice % len(self._threads)]
        if not thread.dead:
            thread.switch()

    def suffer(self, choice: int) -> None:
        """Let the shared cache come or go, or kill the first process."""
        if choice == COME_OR_GO:
            self.world.is_reachable = not self.world.is_reachable
        elif len(self._alive) > 1:
            del self._alive[0]
            for thread in self._threads[::2]:
                thread.is_killed = True

    def end(self) -> None:
        """Let every thread come to its end, and ask everybody once more, long after."""
        while not all(thread.dead for thread in self._threads):
            for number in range(len(self._threads)):
                self.go_on(number)
        self.world.is_reachable = True
        self.world.now += 10 * BOUND
        self._threads = [Thread(partial(self._live, one, ["read"])) for one in self._alive]
        while not all(thread.dead for thread in self._threads):
            for number in range(len(self._threads)):
                self.go_on(number)

    def _live(self, process: Reads, acts: Sequence[str]) -> None:
        with suppress(Dead):
            for act in acts:
                if act == "read":
                    self._ask(process)
                else:
                    process.write(undone=act == "undo")

    def _ask(self, process: Reads) -> None:
        asked = self.world.now
        told = process.read()
        if told < self.world.oldest_allowed(asked, BOUND):
            self.world.wrong.append(f"at {asked} a process was told version {told}")
