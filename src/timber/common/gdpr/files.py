"""What deletion leaves in the files of a database, taken out before a certificate is signed.

On SQLite a word stays in the full text until its segments are merged, and a row in the
write-ahead log until that is emptied. What is freed in the database itself is overwritten at
once, by `PRAGMA secure_delete`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect

from timber.common.errors import DatabaseError
from timber.common.vector.fulltext_tables import FULLTEXT

_log: Final = logging.getLogger(__name__)

_WAIT_MILLISECONDS: Final = 1_000
"""How long readers of the log are waited for."""

_MERGE: Final = f"INSERT INTO {FULLTEXT} ({FULLTEXT}) VALUES ('optimize')"  # noqa: S608 - a name of Timber's own

OVERWRITTEN: Final = "what was deleted is overwritten"
IN_MEMORY: Final = "in memory"
LOG_IN_USE: Final = (
    "others were reading, so the write-ahead log beside the database may still hold what was "
    "deleted: run PRAGMA wal_checkpoint(TRUNCATE) when nobody uses it"
)
UNTIL_VACUUM: Final = (
    "PostgreSQL frees what was deleted at the next VACUUM, and recycles its write-ahead log"
)


@dataclass(frozen=True)
class FileWiper:
    """Takes what was deleted out of the files, as far as that can be done here."""

    engine: Callable[[], Engine]
    transact: Callable[[Callable[[Connection], Any]], Any]

    def wipe(self) -> str:
        """Take it out, and return in words what is true of the files now."""
        if self.engine().dialect.name != "sqlite":
            return UNTIL_VACUUM
        self.transact(_merge_words)
        return self.empty_log()

    def empty_log(self) -> str:
        """Empty the write-ahead log; return in words whether that could be done."""
        if self.engine().dialect.name != "sqlite":
            return UNTIL_VACUUM
        with self.engine().connect() as connection:
            run = connection.exec_driver_sql
            if run("PRAGMA journal_mode").scalar_one() != "wal":
                return IN_MEMORY
            waited = int(run("PRAGMA busy_timeout").scalar_one())
            run(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
            try:
                is_busy = bool(run("PRAGMA wal_checkpoint(TRUNCATE)").one()[0])
            except DatabaseError as error:
                _log.warning("the write-ahead log could not be emptied: %s", error)
                is_busy = True
            finally:
                run(f"PRAGMA busy_timeout = {waited}")
        return LOG_IN_USE if is_busy else OVERWRITTEN


def _merge_words(connection: Connection) -> None:
    """Merge the segments of the full text, so that none has words of texts that are gone."""
    if inspect(connection).has_table(FULLTEXT):
        connection.exec_driver_sql(_MERGE)
