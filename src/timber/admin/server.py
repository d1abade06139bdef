"""Opens a Timber over a directory of models and serves its admin site on loopback."""

import contextlib
import logging
import socket
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from sqlalchemy import Engine, event, inspect
from starlette.types import ASGIApp

from timber.common.errors import ConfigurationError, SchemaMismatchError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

LOOPBACK: Final = "127.0.0.1"


@contextlib.contextmanager
def opened_for_admin(settings: TimberSettings, *, read_only: bool) -> Generator[Timber]:
    """Give an open Timber whose tables are there; `read_only` is kept by the database itself.

    Raises:
        SchemaMismatchError: a table of the models is not in the database.
        ConfigurationError: a setting cannot be used.
        ModelFileError: model files are broken.

    """
    with Timber().opened(settings) as timber:
        _check_tables(timber)
        if read_only:
            _refuse_writing(timber.database.engine)
        yield timber


@contextlib.contextmanager
def listening(port: int) -> Generator[socket.socket]:
    """Give a socket that listens on loopback; port 0 takes a free one.

    Raises:
        ConfigurationError: the port is taken, or needs rights.

    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            reason = f"port {port} cannot be used ({error.strerror}): choose another, or 0"
            raise ConfigurationError(reason) from error
        yield listener


def serve(site: ASGIApp, listener: socket.socket) -> None:
    """Serve the site until the process is told to stop."""
    # It writes what is typed into its log, personal data among it, below this level.
    logging.getLogger("starlette_admin").setLevel(logging.ERROR)
    config = uvicorn.Config(
        site,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _check_tables(timber: Timber) -> None:
    there = set(inspect(timber.database.engine).get_table_names())
    missing = sorted(set(timber.base.metadata.tables) - there)
    if missing:
        raise SchemaMismatchError(f"no table {missing[0]!r} ({len(missing)} missing in all)")


def _refuse_writing(engine: Engine) -> None:
    engine.dispose()

    def prepare(connection: Any, _record: object) -> None:
        if engine.dialect.name == "sqlite":
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.read_only = True

    event.listen(engine, "connect", prepare)
