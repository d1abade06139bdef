"""Runs a transaction again when the database broke it off for the sake of another."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from sqlalchemy.orm import Session

from timber.common.database.sqlite_transactions import begin
from timber.common.errors import SerializationError

Result = TypeVar("Result")

IsolationLevel: TypeAlias = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

ATTEMPTS: Final = 8
"""How often a transaction is tried before its caller learns of it."""
FIRST_WAIT_SECONDS: Final = 0.02
LONGEST_WAIT_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Retrying:
    """Tries again after a random wait, whose limit doubles from one attempt to the next."""

    sleep: Callable[[float], None]
    chance: random.Random

    def __call__(self, attempt: Callable[[], Result]) -> Result:
        """Return what `attempt` returns in the end.

        Raises:
            SerializationError: it failed every time.

        """
        for done in range(1, ATTEMPTS):
            try:
                return attempt()
            except SerializationError:
                limit = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**done)
                self.sleep(self.chance.uniform(0, limit))
        try:
            return attempt()
        except SerializationError as error:
            error.add_note(f"tried {ATTEMPTS} times")
            raise


def isolate(session: Session, level: IsolationLevel | None) -> None:
    """Begin the session's transaction at that level; the database's usual one when None.

    SQLite reads what is committed, as PostgreSQL does, until a transaction writes.
    At a higher level it lets one transaction at a time run, from its beginning.
    """
    if level is None:
        return
    if session.get_bind().dialect.name == "sqlite":
        if level != "READ COMMITTED":
            begin(session.connection())
    else:
        session.connection(execution_options={"isolation_level": level})
