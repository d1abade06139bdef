"""Timber's cache: lookups alone, reads of rows, and how soon another process sees a write."""

import contextlib
import multiprocessing
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.contenders import cached_values, readings
from benchmarks.contenders.latencies import percentile
from benchmarks.harness.stage import Stage, Trial

from timber.common.caching import codec
from timber.common.caching.fencing import FencedCache, Question
from timber.common.caching.local import TableFences
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODEL: Final = readings.MODEL + "    caching: {enabled: true}\n"
WARM_UP_SECONDS: Final = 3.5
"""After this a Redis that has just been started stores what it is given."""


@contextlib.contextmanager
def look_up(stage: Stage) -> Iterator[Trial]:
    """Look values up that this process knows, each behind the fences of a row."""
    cache = FencedCache(size=2 * cached_values.KEYS)
    fences = TableFences("readings")
    for number in range(cached_values.KEYS):
        key = cached_values.key(number)
        question = Question(
            key=key, name=key, fences=(fences.every, fences.slot((key,))), ttl_seconds=3600
        )
        cache.read(question, partial(cached_values.value, number), codec)
    keys = [cached_values.key(number) for number in range(stage.size)]

    def work() -> None:
        look = cache.lookup
        for key in keys:
            look(key)

    yield Trial(work=work, check=lambda: {"found": cache.statistics.hits})


@contextlib.contextmanager
def read_by_key(stage: Stage) -> Iterator[Trial]:
    """Read rows by `session.get`, all known to this process, in one session."""
    rows = readings.rows(stage.size)
    stage.folder.joinpath("readings.yaml").write_text(MODEL, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url, model_config_dirs=(stage.folder,), packaged_models=False
    )
    found = 0
    with Timber().opened(settings) as timber:
        reading = timber.models.get("Reading")
        timber.database.bulk_insert(reading, rows)

        def work() -> None:
            nonlocal found
            with timber.database.session() as session:
                found = sum(session.get(reading, row["id"]) is not None for row in rows)

        work()
        yield Trial(work=work, check=lambda: {"found": found})


@contextlib.contextmanager
def seen_elsewhere(stage: Stage) -> Iterator[Trial]:
    """Write a row again and again, and measure how late another process is told of it."""
    stage.folder.joinpath("readings.yaml").write_text(MODEL, encoding="utf-8")
    binary = shutil.which("redis-server")
    if binary is None:
        raise RuntimeError("needs the system package redis-server")
    socket = stage.folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", ""]
    lateness: list[float] = []
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as redis:  # noqa: S603 - our own command
        while not socket.exists():
            time.sleep(0.01)
        with Timber().opened(_shared(stage.database_url, stage.folder)) as timber:
            reading = timber.models.get("Reading")
            timber.database.bulk_insert(reading, readings.rows(1))
            key = readings.rows(1)[0]["id"]
            process = multiprocessing.get_context("spawn")
            ours, theirs = process.Pipe()
            reader = process.Process(
                target=_watch, args=(stage.database_url, stage.folder, key, stage.size, theirs)
            )
            reader.start()
            ours.recv()

            def work() -> None:
                for rank in range(1, stage.size + 1):
                    with timber.database.session_scope() as session:
                        session.get_one(reading, key, with_for_update=True).rank = -rank
                    committed = time.monotonic()
                    lateness.append(max(0.0, ours.recv() - committed) * 1000)

            yield Trial(
                work=work,
                check=lambda: {
                    "seen": len(lateness),
                    "p50": percentile(lateness, 50),
                    "p99": percentile(lateness, 99),
                },
            )
            reader.join()
        redis.terminate()


def _shared(database_url: str, folder: Path) -> TimberSettings:
    return TimberSettings(
        database_url=database_url,
        model_config_dirs=(folder,),
        redis_url=f"unix://{folder}/redis.sock",
    )


def _watch(database_url: str, folder: Path, key: str, writes: int, pipe: Any) -> None:
    """Read the row without pause, and tell when each write was seen first."""
    with Timber().opened(_shared(database_url, folder)) as timber:
        reading = timber.models.get("Reading")

        def rank() -> int:
            with timber.database.session() as session:
                return int(session.get_one(reading, key).rank)

        end = time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < end:
            rank()
        pipe.send("ready")
        for written in range(1, writes + 1):
            while rank() != -written:
                time.sleep(0.0005)
            pipe.send(time.monotonic())
