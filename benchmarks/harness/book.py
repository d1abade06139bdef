"""Where figures are kept: a page for people, and all of them for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.harness.benchmark import Benchmark
from benchmarks.harness.machine import Machine
from benchmarks.harness.page import page
from benchmarks.harness.results import Result, Side, Told
from benchmarks.harness.runner import ROOT

_OF_BENCHMARK: Final = ("seconds", "processor", "load")
"""What each row repeats of its benchmark."""


@dataclass(frozen=True, kw_only=True)
class Book:
    """A page in `docs/`, and a list of results in `benchmarks/`."""

    page: Path
    results: Path
    command: str
    """What writes both."""

    @classmethod
    def of(cls, *, full: bool, root: Path = ROOT) -> Self:
        """Return that of the usual sizes, or of the large ones."""
        suffix = "-full" if full else ""
        return cls(
            page=root / "docs" / f"benchmarks{suffix}.md",
            results=root / "benchmarks" / f"results{suffix}.json",
            command=f"make bench{suffix}",
        )

    def with_these(self, told: Sequence[Told], known: Iterable[Benchmark]) -> list[Told]:
        """Return what was kept, with these in the place of what was told of the same."""
        kept: dict[str, list[dict[str, Any]]] = {}
        for row in self._kept():
            kept.setdefault(row["benchmark"], []).append(row)
        newly = {one.benchmark.name: one for one in told}
        found = []
        for benchmark in known:
            if benchmark.name in newly:
                found.append(newly[benchmark.name])
            elif benchmark.name in kept:
                found.append(_told(benchmark, kept[benchmark.name]))
        return found

    def write(self, told: Sequence[Told], *, machine: Machine) -> None:
        """Write the page and the results."""
        text = page(
            told,
            machine=machine,
            command=self.command,
            results=self.results.name,
        )
        self.page.write_text(text, encoding="utf-8")
        listed = [
            {
                **asdict(row),
                "benchmark": one.benchmark.name,
                "seconds": round(one.seconds),
                "processor": one.processor,
                "load": round(one.load, 1),
            }
            for one in told
            for row in one.rows
        ]
        self.results.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")

    def _kept(self) -> list[dict[str, Any]]:
        if not self.results.exists():
            return []
        kept: list[dict[str, Any]] = json.loads(self.results.read_text(encoding="utf-8"))
        return kept


def _told(benchmark: Benchmark, kept: Sequence[Mapping[str, Any]]) -> Told:
    return Told(
        benchmark=benchmark,
        **{name: kept[0][name] for name in _OF_BENCHMARK},
        rows=[_result(row) for row in kept],
    )


def _result(row: Mapping[str, Any]) -> Result:
    middle, theirs = row["ratio_middle_half"], row["theirs"]
    sides = {"ours": Side(**row["ours"]), "theirs": Side(**theirs) if theirs else None}
    bounds = {"ratio_middle_half": tuple(middle) if middle else None}
    own = {name: row[name] for name in row if name not in {"benchmark", *_OF_BENCHMARK}}
    return Result(**{**own, **sides, **bounds})
