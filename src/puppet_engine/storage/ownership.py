"""One engine at a time: who opens a database file owns it until the process ends."""

import contextlib
import fcntl
from collections.abc import Generator
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from puppet_engine.core.errors import ConfigurationError

_IN_NO_FILE: Final = frozenset({None, "", ":memory:"})


@contextlib.contextmanager
def sole_owner(database_url: str) -> Generator[None]:
    """Hold a database file for this process alone; a database that is no file is not held.

    The system lets go of the `.lock` file beside it when the process ends, however it ends.

    Raises:
        ConfigurationError: another engine lives on the file.

    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or url.database in _IN_NO_FILE:
        yield
        return
    # A file of its own: SQLite forgets its locks when anybody closes the database's file.
    with Path(f"{url.database}.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"another engine lives on {url.database}: end it, or choose another database"
            ) from error
        yield
