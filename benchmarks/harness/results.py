"""From samples to the rows of the page of figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.harness.benchmark import MIB, OURS, Benchmark, DatabaseKind, Figure, Peer, Sample
from benchmarks.harness.plan import Run
from benchmarks.harness.statistics import growth, median, middle_half, spread

_DATABASE_NAMES: Mapping[DatabaseKind | None, str] = {
    None: "",
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
}
_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one contender needed at the headline size: medians of its runs."""

    spread: float
    """The median distance of the figures from their median."""
    wall_seconds: float
    cpu_seconds: float
    resident_mib: float
    python_mib: float | None
    """The most that Python's allocator held, in a run of its own; None where not traced."""
    growth: float | None
    """`p` where the processor time grows as size to the power of p."""
    sizes: Mapping[str, float]
    """The figure at every size."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measured figure, beside that of a peer where one was measured too."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    """The median of what the turns say: each divides what was measured one after the other."""
    target: float | None = None
    target_is: str | None = None
    """`at least` or `at most`, and of what: `value` or `ratio`."""
    met: bool | None = None
    ratio_middle_half: tuple[float, float] | None = None
    """Between these lies the middle half of the ratios of the single turns."""
    size: int
    item: str
    repetitions: int
    ours: Side
    theirs: Side | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is told of a benchmark."""

    benchmark: Benchmark
    seconds: float
    """How long it took altogether."""
    processor: str
    """On what it was measured: the figures of a page may be of several days, and machines."""
    load: float
    """How many processes wanted a core meanwhile, on average."""
    rows: Sequence[Result] = ()
    failure: str | None = None
    """Why there are no rows."""


def results(
    benchmark: Benchmark, samples: Mapping[Run, Sample], *, full: bool = False
) -> Iterator[Result]:
    """Yield the rows of a benchmark: one for each database, figure and peer."""
    size = benchmark.scale_of(full=full).headline
    for database, of_database in groupby(samples.items(), key=lambda item: item[0].database):
        taken = dict(of_database)
        for number, figure in enumerate(benchmark.figures):
            table = _Table(benchmark=benchmark, figure=figure, samples=taken, size=size)
            name = ", ".join(
                part for part in (benchmark.name, figure.name, _DATABASE_NAMES[database]) if part
            )
            # The others mostly tell more about ourselves.
            is_first = number == 0
            peers = benchmark.peers if is_first or figure.compared else ()
            for peer in peers or (None,):
                yield table.result(name, peer, judged=is_first)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The samples of one benchmark on one database, seen as one figure."""

    benchmark: Benchmark
    figure: Figure
    samples: Mapping[Run, Sample]
    size: int

    def result(self, name: str, peer: Peer | None, *, judged: bool) -> Result:
        """Return the row beside a peer, whose target is for the first figure alone."""
        own = self._figures(OURS, self.size)
        value = median(own)
        theirs = self._figures(peer.name, self.size) if peer else []
        peer_value = median(theirs) if theirs else None
        turns = _ratios(own, theirs)
        ratio = median(turns) if turns else None
        target, measured, of_what = self.figure.target, value, "value"
        if judged and peer is not None and peer.target is not None and ratio is not None:
            target, measured, of_what = peer.target, ratio, "ratio"
        return Result(
            name=name,
            value=_rounded(value),
            unit=self.figure.unit,
            peer=peer.name if peer else None,
            peer_value=None if peer_value is None else _rounded(peer_value),
            ratio=None if ratio is None else _rounded(ratio),
            target=target.limit if target else None,
            target_is=f"{of_what} {'at least' if target.at_least else 'at most'}"
            if target
            else None,
            met=target.is_met_by(measured) if target else None,
            ratio_middle_half=_bounds(turns) if turns else None,
            size=self.size,
            item=self.benchmark.item,
            repetitions=len(own),
            ours=self._side(OURS),
            theirs=self._side(peer.name) if peer else None,
        )

    def _side(self, contender: str) -> Side:
        told = self._samples(contender, self.size)
        traced = [
            sample.traced_bytes / MIB
            for run, sample in self.samples.items()
            if run.contender == contender and sample.traced_bytes is not None
        ]
        sizes = sorted({run.size for run in self.samples if run.contender == contender})
        costs = {
            size: median(one.cpu_seconds for one in self._samples(contender, size))
            for size in sizes
        }
        power = growth(costs)
        return Side(
            spread=_rounded(spread(self._figures(contender, self.size))),
            wall_seconds=_rounded(median(sample.wall_seconds for sample in told)),
            cpu_seconds=_rounded(costs[self.size]),
            resident_mib=_rounded(median(sample.resident_mib for sample in told)),
            python_mib=_rounded(median(traced)) if traced else None,
            growth=None if power is None else _rounded(power),
            sizes={str(size): _rounded(median(self._figures(contender, size))) for size in sizes},
        )

    def _figures(self, contender: str, size: int) -> list[float]:
        return [self.figure.of(sample) for sample in self._samples(contender, size)]

    def _samples(self, contender: str, size: int) -> list[Sample]:
        """Return the untraced samples, in the order of the turns."""
        found = (
            (run.repetition, sample)
            for run, sample in self.samples.items()
            if run.contender == contender and run.size == size and not run.traced
        )
        return [sample for _, sample in sorted(found, key=lambda item: item[0])]


def _ratios(own: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the ratio of each turn; none where there is no peer, or where one of its is 0."""
    if not theirs or 0 in theirs:
        return []
    return [mine / other for mine, other in zip(own, theirs, strict=True)]


def _bounds(ratios: Sequence[float]) -> tuple[float, float]:
    low, high = middle_half(ratios)
    return _rounded(low), _rounded(high)


def _rounded(figure: float) -> float:
    """Return the figure with as many digits as it deserves."""
    return float(f"{figure:.{_DIGITS}g}")
