"""Lets the default cast live for some minutes, and fails when it holds more and more."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

import psutil

from puppet_engine.main import App, create_app
from puppet_engine.run import share_one_heap, spare_what_stays
from soak.stages import STAGES, Stage
from soak.steadiness import BOUNDS, Sample, growth, sample, too_much

_SAMPLES = 60


def main() -> int:
    """Run the soak; return 0 if all stayed flat, else 1."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long (default: 30)")
    parser.add_argument("--engine", choices=STAGES, default="embedded", help="(default: embedded)")
    parser.add_argument("--speed", type=float, default=240, help="virtual seconds in a real one")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    share_one_heap()
    with (
        tempfile.TemporaryDirectory() as folder,
        STAGES[chosen.engine](Path(folder), chosen.speed) as stage,
    ):
        samples = asyncio.run(_soak(stage, chosen.minutes * 60))
    for name, bound in BOUNDS.items():
        grown = growth(samples, name)
        print(f"{name:12} grew by {grown:+.2f}; {bound:g} is the bound")
    return 1 if too_much(samples) else 0


async def _soak(stage: Stage, seconds: float) -> list[Sample]:
    app = create_app(stage.settings)
    await app.startup()
    spare_what_stays()
    try:
        return await _watch(app, stage, seconds)
    finally:
        await app.shutdown()


async def _watch(app: App, stage: Stage, seconds: float) -> list[Sample]:
    process, began = psutil.Process(), time.monotonic()
    samples: list[Sample] = []
    print(f"{'minutes':>8} {'memory MiB':>11} {'handles':>8} {'connections':>12} {'posts':>6}")
    for number in range(1, _SAMPLES + 1):
        wait = began + seconds * number / _SAMPLES - time.monotonic()
        await asyncio.sleep(max(0, wait))
        one = sample(time.monotonic() - began, process, connections=stage.connections())
        samples.append(one)
        posts = len(await app.event_engine.recent(limit=1_000_000, types=["post.published"]))
        told = f"{one.seconds / 60:8.1f} {one.memory:11.1f} {one.handles:8.0f}"
        print(f"{told} {one.connections:12.0f} {posts:6}", flush=True)
        if not app.event_engine.is_running:
            await app.event_engine.join()
    return samples


if __name__ == "__main__":
    sys.exit(main())
