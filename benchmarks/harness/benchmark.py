"""What a benchmark says: who does what, at which sizes, and how good it must be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from benchmarks.harness.stage import Facts

DatabaseKind = Literal["sqlite", "postgresql"]
OURS: Final = "ours"
"""The name under which our own contender is measured."""

MIB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run, measured."""

    size: int
    wall_seconds: float
    cpu_seconds: float
    """Processor time of the process and of those it started, not of a database server."""
    resident_bytes: int
    """How much the resident memory grew at its peak."""
    traced_bytes: int | None = None
    """The most that Python's allocator held, in a run that was traced for it."""
    facts: Facts = field(default_factory=dict)

    @property
    def resident_mib(self) -> float:
        return self.resident_bytes / MIB


@dataclass(frozen=True)
class Target:
    """A limit that a figure keeps to."""

    limit: float
    at_least: bool

    def is_met_by(self, figure: float) -> bool:
        return figure >= self.limit if self.at_least else figure <= self.limit


def at_least(limit: float) -> Target:
    """Return the target of a figure that should be large."""
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    """Return the target of a figure that should be small."""
    return Target(limit, at_least=False)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure that is told of every run."""

    unit: str
    of: Callable[[Sample], float]
    name: str = ""
    """Added to the name of the benchmark where it tells several figures."""
    target: Target | None = None
    """What our own figure keeps to, whatever the peers do."""
    compared: bool = False
    """Whether it is told beside the peers', as the first figure of a benchmark always is."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another library that does the same work."""

    name: str
    run: str
    """Its contender, as `module:function`; it runs in the environment of the peers."""
    target: Target | None = None
    """What our first figure, divided by the peer's, keeps to."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The sizes that are measured, ascending, and the one whose figures are told."""

    sizes: tuple[int, ...]
    headline: int


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The same work, done by us and by our peers."""

    name: str
    about: str
    """One sentence for the reader of the table."""
    item: str
    """What a size counts, such as `rows`."""
    ours: str
    """Our contender, as `module:function`."""
    figures: tuple[Figure, ...]
    scale: Scale
    full_scale: Scale | None = None
    """The sizes of `make bench-full`, where they differ."""
    peers: tuple[Peer, ...] = ()
    databases: tuple[DatabaseKind, ...] = ()
    prepare: str | None = None
    """A contender whose work fills a database that all runs of one size then read, and those of
    other benchmarks with the same one."""
    in_full: bool = False
    """Whether only `make bench-full` measures it."""
    expect: Callable[[int], Facts] = lambda _size: {}
    """What must have been done at a size; a run that did anything else stops everything."""
    alike: tuple[str, ...] = ()
    """The facts that must be the same in all runs of one size."""
    repetitions: int = 5
    """How often the headline size is run."""
    traced: bool = True
    """Whether one run more of the headline size is traced for the memory that Python holds."""

    def scale_of(self, *, full: bool) -> Scale:
        return (self.full_scale or self.scale) if full else self.scale

    @property
    def contenders(self) -> Mapping[str, str]:
        """Who takes part, by name: `module:function`."""
        return {OURS: self.ours, **{peer.name: peer.run for peer in self.peers}}
