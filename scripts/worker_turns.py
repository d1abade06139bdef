"""How many turns workers take, and what a turn costs each part, on this machine.

Agents who always have something due live on a PostgreSQL and a Restate of their own,
in a rehearsal world, by a language model that answers at once.
"""

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psutil
from kills.workers import Place, Worker, place, until
from scripts.restate_server import RestateServer, running
from scripts.world_scale import postgresql

AGENTS: Final = 40
_MIB: Final = 1024 * 1024


def main() -> None:
    """Measure with each number of workers, and print one JSON object for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    for workers in chosen.workers:
        print(json.dumps(asyncio.run(_measure(workers, chosen.seconds))), flush=True)


async def _measure(workers: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as parts:
        folder = Path(name)
        url = parts.enter_context(postgresql(folder / "postgresql"))
        restate = parts.enter_context(running(folder / "restate"))
        async with place(folder, url, restate, agents=AGENTS) as here:
            living = [Worker(here, f"worker-{number}") for number in range(workers)]
            for worker in living:
                parts.callback(worker.kill_if_alive)
                await asyncio.to_thread(until, worker.is_at_work, "a worker")
            await asyncio.to_thread(until, lambda: here.turns() >= AGENTS, "the first turns")
            figures = await _watch(here, restate, living, seconds)
            for worker in living:
                await asyncio.to_thread(worker.end)
    return {"workers": workers, **figures}


async def _watch(
    here: Place, restate: RestateServer, workers: Sequence[Worker], seconds: float
) -> dict[str, Any]:
    groups = {
        "worker": [psutil.Process(worker.process.pid) for worker in workers],
        "restate": [psutil.Process(restate.pid)],
        "postgresql": _servers(here.folder),
    }
    turns, began = await asyncio.to_thread(here.turns), time.monotonic()
    before = {name: _cpu_seconds(group) for name, group in groups.items()}
    waiting = [await asyncio.to_thread(here.overdue, here.clock.now())]
    await asyncio.sleep(seconds)
    waiting.append(await asyncio.to_thread(here.overdue, here.clock.now()))
    taken = await asyncio.to_thread(here.turns) - turns
    lasted = time.monotonic() - began
    groups["postgresql"] = _servers(here.folder)
    spent = {name: _cpu_seconds(group) - before[name] for name, group in groups.items()}
    return {
        "turns_per_second": round(taken / lasted, 1),
        "turns": taken,
        "seconds": round(lasted, 1),
        "overdue_at_begin_and_end": waiting,
        "cpu_ms_per_turn": {name: round(cpu / taken * 1000, 2) for name, cpu in spent.items()},
        "turns_per_worker_core_second": round(taken / spent["worker"], 1),
        "resident_mib": {
            name: [round(one.memory_info().rss / _MIB) for one in group]
            for name, group in groups.items()
            if name != "postgresql"
        },
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "cores": os.cpu_count(),
    }


def _servers(folder: Path) -> list[psutil.Process]:
    """Return the processes of the PostgreSQL that keeps its data in a folder."""
    number = int((folder / "postgresql" / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(number)
    return [postmaster, *postmaster.children()]


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    times = [one.cpu_times() for one in processes]
    # Of servers that ended meanwhile their parent keeps the account.
    return sum(one.user + one.system for one in times) + sum(
        one.children_user + one.children_system for one in times[:1]
    )


if __name__ == "__main__":
    main()
