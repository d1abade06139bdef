"""Kills lives at random moments of their busiest time, and asks what is lost, or done twice."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kills.many_machines import Machines, kill_on_many_machines
from kills.on_a_file import Plan, kill_on_a_file
from kills.report import Report
from kills.workers import PACE
from puppet_engine.core.clock import SystemClock
from puppet_engine.core.failpoints import Failpoint


def main() -> int:
    """Kill; return 0 if nothing was lost and nothing happened twice, else 1."""
    chosen = _parser().parse_args()
    logging.basicConfig(level=logging.CRITICAL)  # a kill makes others complain, as they should
    report = Report(
        command=f'make kills ARGS="{" ".join(sys.argv[1:])}"',
        began_at=SystemClock().now().isoformat(timespec="seconds"),
        seed=chosen.seed,
    )
    began = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar, tempfile.TemporaryDirectory(prefix="kills-") as folder:
        asyncio.run(_kill(Path(folder), chosen, report, bar))
    report.took_seconds = time.monotonic() - began
    path = chosen.report or Path("var") / "kills" / f"{chosen.engine}.json"
    report.write(path)
    print("\n".join(report.lines()))
    print(f"everything is in {path}")
    return 0 if report.is_sound else 1


async def _kill(folder: Path, chosen: argparse.Namespace, report: Report, bar: Progress) -> None:
    if chosen.engine == "restate":
        task = bar.add_task("kills", total=chosen.kills)
        machines = Machines(
            kills=chosen.kills, seed=chosen.seed, timers=chosen.timers, pace=chosen.pace
        )
        await kill_on_many_machines(folder, machines, report, advance=lambda: bar.advance(task))
        return
    plan = Plan(
        kills=chosen.kills,
        kills_at_each_point=chosen.at_each_point,
        audit_every=chosen.audit_every,
        seed=chosen.seed,
    )
    task = bar.add_task("kills", total=plan.kills + len(Failpoint) * plan.kills_at_each_point)
    await kill_on_a_file(folder, plan, report, advance=lambda: bar.advance(task))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument(
        "--engine",
        choices=("sqlite", "restate"),
        default="sqlite",
        help="one process on a file, or two workers on PostgreSQL and Restate (default: sqlite)",
    )
    parser.add_argument("--kills", type=int, default=1000, help="random kills (default: 1000)")
    parser.add_argument(
        "--at-each-point",
        type=int,
        default=10,
        help="kills at each failpoint besides; SQLite only (default: 10)",
    )
    parser.add_argument(
        "--audit-every",
        type=int,
        default=100,
        help="kills between two audits; there is one at the end; SQLite only (default: 100)",
    )
    parser.add_argument(
        "--timers",
        type=int,
        default=10_000,
        help="timers pending in Restate besides; Restate only (default: 10000)",
    )
    parser.add_argument(
        "--pace",
        type=int,
        default=PACE,
        help=f"how many times as fast as ours time passes; Restate only (default: {PACE})",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default: 1)")
    parser.add_argument("--report", type=Path, help="where (default: var/kills/ENGINE.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
