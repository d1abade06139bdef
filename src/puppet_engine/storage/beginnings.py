"""When a life began, and at which speed it passes: the same for all machines that share it."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from puppet_engine.core.clock import PacedClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.storage.gateway import Storage

JOURNAL: Final = "beginning"

ONE_AT_A_TIME: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('puppet_engine.beginning', 0))"
)


async def common_beginning(storage: Storage, clock: PacedClock) -> tuple[datetime, datetime]:
    """Return the machine's time and the life's own at its beginning, which may be now.

    Raises:
        ConfigurationError: the life in this database began at another speed.

    """
    model = storage.model("JournalEntry")
    wall, moment = clock.beginning
    ours: dict[str, Any] = {
        "wall": wall.isoformat(),
        "moment": moment.isoformat(),
        "pace": clock.pace,
    }

    def work(session: Session) -> dict[str, Any]:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(ONE_AT_A_TIME)
        known: dict[str, Any] | None = session.scalar(
            select(model.record).where(model.journal == JOURNAL)
        )
        if known is None:
            session.add(model(journal=JOURNAL, kind="began", record=ours))
        return known or ours

    began = await storage.run(work)
    if began["pace"] != clock.pace:
        raise ConfigurationError(
            f"time passes {began['pace']:g} times as fast as ours in this database, "
            f"not {clock.pace:g}: set PUPPET_SPEED to that, or choose another database"
        )
    return datetime.fromisoformat(began["wall"]), datetime.fromisoformat(began["moment"])
