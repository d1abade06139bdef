"""Writes the page of figures: `docs/benchmarks.md`, or that of the large sizes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.harness.machine import Machine
from benchmarks.harness.results import Result, Side, Told

_COLUMNS = "| | ours | peer | theirs | ratio | target | met |\n|--|--|--|--|--|--|--|"
_COST_COLUMNS = (
    "| | who | figure at each size | spread | wall | CPU | memory | Python's part | growth |\n"
    "|--|--|--|--|--|--|--|--|--|"
)
_READING = """\
Every run is a fresh process; ours and theirs take turns, \
and after each run it is checked that the work was done.
The figures are medians; the ratio is the median of ours divided by theirs in each turn, \
with the bounds of the middle half of the turns.
CPU is the processor time of the client and its child processes, \
without that of a PostgreSQL server.
Memory is how much the resident memory grew at its peak; \
Python's part of it is what its allocator held, in a traced run of its own.
Spread is the median distance from the median; \
growth is `p` where the CPU time grows as size to the power of p.
The peers' versions are in [peers.txt](../benchmarks/peers.txt), \
every figure in [{results}](../benchmarks/{results})."""


def page(
    told: Sequence[Told],
    *,
    machine: Machine,
    command: str,
    results: str,
) -> str:
    """Return the page; `results` is the name of the file with every figure."""
    return (
        "\n\n".join(
            [
                "# Benchmarks",
                f"<!-- Written by `{command}`. -->",
                _described(machine, command),
                _READING.format(results=results),
                "## Figures and targets",
                _table(_COLUMNS, (_row(row) for one in told for row in one.rows)),
                "## What each one does",
                "\n".join(map(_said, told)),
                "## What it costs",
                _table(_COST_COLUMNS, (line for one in told for line in _costs(one.rows))),
            ]
        )
        + "\n"
    )


def table(rows: Iterable[Result]) -> str:
    """Return the table of figures and targets alone."""
    return _table(_COLUMNS, map(_row, rows))


def _said(told: Told) -> str:
    failed = "" if told.failure is None else f" **Not measured**: {told.failure.splitlines()[0]}"
    where = f"{told.seconds:.0f} s on {told.processor}, load {told.load:.1f}"
    return f"- **{told.benchmark.name}** ({where}): {told.benchmark.about}{failed}"


def _described(machine: Machine, command: str) -> str:
    return (
        f"Measured by `{command}` on {machine.cores} cores, "
        f"{machine.memory_gib} GiB, {machine.system}, with Python {machine.python}, "
        f"SQLAlchemy {machine.sqlalchemy} and SQLite {machine.sqlite}.\n"
        "On which processor, and at what load of the machine, is said of each below; "
        "a load above the number of cores stretches wall time, not CPU time."
    )


def _table(columns: str, rows: Iterable[str]) -> str:
    return "\n".join([columns, *rows])


def _row(row: Result) -> str:
    cells = [
        f"{row.name} ({row.size:,} {row.item})",
        f"{row.value:,g} {row.unit}",
        row.peer or "",
        "" if row.peer_value is None else f"{row.peer_value:,g}",
        _ratio(row),
        "" if row.target is None else f"{row.target_is} {row.target:g}",
        {None: "", True: "yes", False: "**no**"}[row.met],
    ]
    return _line(cells)


def _ratio(row: Result) -> str:
    if row.ratio is None:
        return ""
    if row.ratio_middle_half is None:
        return f"{row.ratio:.2f}"
    low, high = row.ratio_middle_half
    return f"{row.ratio:.2f} ({low:.2f} to {high:.2f})"


def _costs(rows: Sequence[Result]) -> Iterator[str]:
    """Yield one line for each side of the rows, ours once for each name."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        sides: Mapping[str, Side | None] = {"ours": row.ours, row.peer or "": row.theirs}
        for who, side in sides.items():
            if side is not None and (row.name, who) not in seen:
                seen.add((row.name, who))
                yield _line(_cost_cells(row, who, side))


def _cost_cells(row: Result, who: str, side: Side) -> list[str]:
    sizes = ", ".join(f"{int(size):,}: {figure:,g}" for size, figure in side.sizes.items())
    return [
        row.name,
        who,
        sizes,
        f"± {side.spread:,g}",
        f"{side.wall_seconds:g} s",
        f"{side.cpu_seconds:g} s",
        f"{side.resident_mib:g} MiB",
        "" if side.python_mib is None else f"{side.python_mib:g} MiB",
        "" if side.growth is None else f"{side.growth:.2f}",
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
