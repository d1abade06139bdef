"""Connections to a Redis server, and how it is had run a script on one.

redis-py makes the connections, logs in and reads the answers. That its pool looks after each of
them whenever it is taken, and that it packs a command part by part, costs more than the rest of
a hit: so idle connections are kept here, and commands are packed here.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from timber.common.caching.redis_scripts import Script
from timber.common.errors import ConfigurationError, FeatureUnavailableError

Part: TypeAlias = str | bytes | int
"""What a command is made of."""


class RedisConnections:
    """Runs scripts on one server, by as many threads at once as there are.

    Raises:
        FeatureUnavailableError: redis-py is not installed.
        ConfigurationError: the URL is none.

    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        if find_spec("redis") is None:
            raise FeatureUnavailableError("redis_url", cure="pip install 'puppet-engine[redis]'")
        from redis import exceptions  # noqa: PLC0415 - an extra

        self.failures: Final = (exceptions.RedisError, OSError)
        """What `run` raises when the server does not answer."""
        self._lost: Final = (exceptions.ConnectionError, ConnectionError)
        self._unknown_script: Final = exceptions.NoScriptError
        self._pool = _pool(url, timeout_seconds)
        self._idle: deque[Any] = deque()
        self._process = os.getpid()

    def run(
        self,
        script: Script,
        keys_of: Callable[[str], Sequence[str]],
        arguments: Sequence[Part],
    ) -> Any:
        """Return what the script returns; `keys_of` makes its keys of the id of the server's run.

        A script may be run twice: when the answer does not come, as the server closed a
        connection that was idle.
        """
        connection = self._taken()
        if connection is not None:
            try:
                return self._run_on(connection, script, keys_of, arguments)
            except self._lost:
                pass  # it may have been started again meanwhile, and the others are lost as well
        return self._run_on(self._pool.get_connection(), script, keys_of, arguments)

    def close(self) -> None:
        """Close the connections."""
        self._idle.clear()
        self._pool.disconnect()

    def _taken(self) -> Any:
        """Return an idle connection; None if there is none."""
        if self._process != os.getpid():
            self._idle, self._process = deque(), os.getpid()  # those are the parent's
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _run_on(
        self,
        connection: Any,
        script: Script,
        keys_of: Callable[[str], Sequence[str]],
        arguments: Sequence[Part],
    ) -> Any:
        try:
            keys = keys_of(connection.run_id)
            question = (len(keys), *keys, *arguments)
            connection.send_packed_command((_packed(("EVALSHA", script.digest, *question)),))
            try:
                answer = connection.read_response()
            except self._unknown_script:
                connection.send_packed_command((_packed(("EVAL", script.text, *question)),))
                answer = connection.read_response()
        except BaseException:
            # An answer may still come, and would be taken for that to the next question.
            connection.disconnect()
            self._pool.release(connection)
            raise
        self._idle.append(connection)
        return answer


def _packed(parts: Sequence[Part]) -> bytes:
    """Return a command as Redis is sent it: an array of strings."""
    written = [b"*%d\r\n" % len(parts)]
    for part in parts:
        text = part if type(part) is bytes else str(part).encode()
        written.append(b"$%d\r\n%b\r\n" % (len(text), text))
    return b"".join(written)


def _pool(url: str, timeout_seconds: float) -> Any:
    from redis.backoff import NoBackoff  # noqa: PLC0415 - an extra
    from redis.connection import ConnectionPool  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    try:
        return ConnectionPool.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=_greet,
        )
    except ValueError:
        # Not `from error`: the URL in its text may hold a password.
        raise ConfigurationError(
            "redis_url is not a URL: write redis://host:6379/0 or unix:///path/to/socket"
        ) from None


def _greet(connection: Any) -> None:
    """Log in, and learn which run of the server this is."""
    connection.on_connect()
    connection.send_command("INFO", "server")
    lines = bytes(connection.read_response()).decode().splitlines()
    run_ids = [line.partition(":")[2] for line in lines if line.startswith("run_id:")]
    connection.run_id = run_ids[0]
