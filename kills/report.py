"""What a run of kills came to: a report for machines, and a few lines for people."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from kills.audit import Audit


@dataclass(kw_only=True)
class Report:
    """Everything that a run has to say for itself."""

    command: str
    began_at: str
    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    """How often what was killed."""
    phases: dict[str, int] = field(default_factory=dict)
    """What the kills fell into; one kill may fall into several things, of several agents."""
    turns_per_life: Mapping[str, float] = field(default_factory=dict)
    seconds: dict[str, Mapping[str, float]] = field(default_factory=dict)
    """Durations, by what lasted so long."""
    counts: dict[str, int] = field(default_factory=dict)
    audits: list[dict[str, Any]] = field(default_factory=list)
    load: Sequence[float] = ()
    """Processes that wanted a core, on average of 1, 5 and 15 minutes, at the end."""
    machine: str = ""
    took_seconds: float = 0

    def note(self, after_kills: int, found: Audit) -> None:
        """Keep what an audit has found."""
        self.audits.append({"after_kills": after_kills, **asdict(found)})

    @property
    def is_sound(self) -> bool:
        """Whether there was an audit at the end, and no audit found a fault."""
        wrong = ("lost_events", "repeated_effects", "broken_order")
        return bool(self.audits) and not any(one[kind] for one in self.audits for kind in wrong)

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        self.machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        self.load = [round(one, 2) for one in os.getloadavg()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def lines(self) -> list[str]:
        """Return what somebody who waits for it wants to read."""
        last = self.audits[-1]
        told = [
            f"killed: {_listed(self.kills)}, in {self.took_seconds:.0f} s",
            f"turns {last['turns']}, events {last['events']}, effects {last['effects']}",
            f"the kills fell: {_listed(self.phases)}",
        ]
        if self.turns_per_life:
            told.append(f"turns in a life: {_listed(self.turns_per_life)}")
        told += [f"{what}, seconds: {_listed(spread)}" for what, spread in self.seconds.items()]
        for kind in ("lost_events", "repeated_effects", "broken_order"):
            wrong = [fault for one in self.audits for fault in one[kind]]
            told.append(f"{kind.replace('_', ' ')}: {len(wrong)}")
            told += [f"  {fault}" for fault in wrong[:5]]
        return told


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return how many there are, the least, the median, the 95th percentile and the most."""
    if not values:
        return {"n": 0}
    ordered = sorted(values)
    late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    figures = {"min": ordered[0], "p50": median(ordered), "p95": late, "max": ordered[-1]}
    return {"n": len(ordered), **{name: round(value, 3) for name, value in figures.items()}}


def _listed(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {figure:g}" for name, figure in figures.items())
