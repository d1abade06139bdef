"""Timber's cache: lookups alone, reads of rows, and how soon another process sees a write."""

import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from benchmarks.contenders import cached_values, readings
from benchmarks.contenders.latencies import percentile
from benchmarks.contenders.redis_server import redis_in
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
    with _stored(stage, _alone(stage)) as (timber, reading, keys):

        def work() -> None:
            with timber.database.session() as session:
                for key in keys:
                    session.get(reading, key)

        work()
        yield Trial(work=work, check=lambda: {"found": timber.cache.statistics().hits})


@contextlib.contextmanager
def read_one_by_one(stage: Stage) -> Iterator[Trial]:
    """Read rows by `db_service.get`, all known to this process, each for itself."""
    with _stored(stage, _alone(stage)) as (timber, reading, keys):

        def work() -> None:
            for key in keys:
                timber.database.get(reading, key)

        work()
        yield Trial(work=work, check=lambda: {"found": timber.cache.statistics().hits})


@contextlib.contextmanager
def read_through_redis(stage: Stage) -> Iterator[Trial]:
    """Read rows by `db_service.get` that are in Redis, and unknown to this process."""
    with redis_in(stage.folder), _stored(stage, _shared(stage)) as (first, reading, keys):
        time.sleep(WARM_UP_SECONDS)
        for key in keys:
            first.database.get(reading, key)
        with Timber().opened(_shared(stage)) as timber:
            same = timber.models.get("Reading")

            def work() -> None:
                for key in keys:
                    timber.database.get(same, key)

            yield Trial(work=work, check=lambda: {"found": timber.cache.statistics().shared_hits})


@contextlib.contextmanager
def _stored(
    stage: Stage, settings: TimberSettings
) -> Iterator[tuple[Timber, type[Any], list[str]]]:
    """Give a Timber whose database holds the rows, their model and their keys."""
    rows = readings.rows(stage.size)
    stage.folder.joinpath("readings.yaml").write_text(MODEL, encoding="utf-8")
    with Timber().opened(settings) as timber:
        reading = timber.models.get("Reading")
        timber.database.bulk_insert(reading, rows)
        yield timber, reading, [row["id"] for row in rows]


@contextlib.contextmanager
def seen_elsewhere(stage: Stage) -> Iterator[Trial]:
    """Write a row again and again, and measure how late another process is told of it."""
    stage.folder.joinpath("readings.yaml").write_text(MODEL, encoding="utf-8")
    lateness: list[float] = []
    with redis_in(stage.folder), Timber().opened(_shared(stage)) as timber:
        reading = timber.models.get("Reading")
        timber.database.bulk_insert(reading, readings.rows(1))
        key = readings.rows(1)[0]["id"]
        process = multiprocessing.get_context("spawn")
        ours, theirs = process.Pipe()
        reader = process.Process(target=_watch, args=(stage, key, theirs))
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


def _alone(stage: Stage) -> TimberSettings:
    return TimberSettings(
        database_url=stage.database_url, model_config_dirs=(stage.folder,), packaged_models=False
    )


def _shared(stage: Stage) -> TimberSettings:
    return TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(stage.folder,),
        redis_url=f"unix://{stage.folder}/redis.sock",
    )


def _watch(stage: Stage, key: str, pipe: Any) -> None:
    """Read the row without pause, and tell when each write was seen first."""
    with Timber().opened(_shared(stage)) as timber:
        reading = timber.models.get("Reading")

        def rank() -> int:
            with timber.database.session() as session:
                return int(session.get_one(reading, key).rank)

        end = time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < end:
            rank()
        pipe.send("ready")
        for written in range(1, stage.size + 1):
            while rank() != -written:
                time.sleep(0.0005)
            pipe.send(time.monotonic())
