"""APScheduler, with its jobs in memory."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from benchmarks.contenders.latencies import DELAY, SAMPLES, far_ahead, percentile
from benchmarks.harness.stage import Stage, Trial


@contextlib.contextmanager
def wake_up(stage: Stage) -> Iterator[Trial]:
    """Measure how late jobs run while so many others are pending in memory."""
    facts: dict[str, float] = {}
    scheduler = AsyncIOScheduler(timezone=UTC)

    async def nothing() -> None: ...

    async def prepare() -> None:
        now = datetime.now(UTC)  # noqa: TID251 - the peer has no clock to be handed
        for number in sorted(range(stage.size), key=far_ahead):
            scheduler.add_job(nothing, "date", run_date=now + far_ahead(number))
        scheduler.start()

    with asyncio.Runner() as runner:
        runner.run(prepare())
        yield Trial(work=lambda: runner.run(_latencies(scheduler, facts)), check=lambda: facts)
        runner.run(_end(scheduler))


async def _end(scheduler: AsyncIOScheduler) -> None:
    scheduler.shutdown(wait=False)


async def _latencies(scheduler: AsyncIOScheduler, facts: dict[str, float]) -> None:
    late: dict[str, list[float]] = {kind: [] for kind in DELAY}
    came = asyncio.Event()

    async def hear(kind: str, due_at: datetime) -> None:
        now = datetime.now(UTC)  # noqa: TID251 - the peer has no clock to be handed
        late[kind].append((now - due_at) / timedelta(milliseconds=1))
        came.set()

    for _ in range(SAMPLES):
        for kind, delay in DELAY.items():
            came.clear()
            now = datetime.now(UTC)  # noqa: TID251 - the peer has no clock to be handed
            due_at = now + delay
            scheduler.add_job(
                hear, "date", run_date=due_at, args=(kind, due_at), misfire_grace_time=None
            )
            await came.wait()
    for kind, measured in late.items():
        facts[f"{kind}_p50"] = percentile(measured, 50)
        facts[f"{kind}_p99"] = percentile(measured, 99)
    facts["measured"] = sum(map(len, late.values()))
