"""Append-only journals as rows."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from puppet_engine.storage.gateway import Storage


async def append(storage: Storage, journal: str, kind: str, record: dict[str, Any]) -> None:
    """Add a record to a journal, for ever. It is committed when this returns."""
    row = storage.model("JournalEntry")(journal=journal, kind=kind, record=record)

    def work(session: Session) -> None:
        session.add(row)

    await storage.run(work)


async def load(storage: Storage, journal: str) -> list[tuple[str, dict[str, Any]]]:
    """Return a journal's records with their kinds, oldest first."""
    model = storage.model("JournalEntry")
    query = select(model).where(model.journal == journal).order_by(model.sequence)
    return await storage.run(
        lambda session: [(row.kind, row.record) for row in session.scalars(query)]
    )
