"""redis-py by hand: a row is a JSON text at a key, and nobody asks whether it is still true."""

import contextlib
import json
from collections.abc import Iterator

from benchmarks.contenders import readings
from benchmarks.contenders.redis_server import redis_in
from benchmarks.harness.stage import Stage, Trial
from redis import Redis


@contextlib.contextmanager
def read_through_redis(stage: Stage) -> Iterator[Trial]:
    """Read rows from Redis as dictionaries, one by one."""
    rows = readings.rows(stage.size)
    found = 0
    with redis_in(stage.folder) as socket, Redis(unix_socket_path=str(socket)) as redis:
        for row in rows:
            redis.set(row["id"], json.dumps(row, default=str))

        def work() -> None:
            nonlocal found
            told = (redis.get(row["id"]) for row in rows)
            found = sum(bool(json.loads(one)) for one in told if one is not None)

        yield Trial(work=work, check=lambda: {"found": found})
