"""Which events somebody must still be woken for: the outbox of a life on many machines.

Whoever adds an event, by whatever way, leaves a wake-up beside it in the same transaction;
triggers of the database see to that.
The row goes when the wake-up is in the hands of what keeps the time.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, delete, or_, select, text, tuple_
from sqlalchemy.orm import Session

from puppet_engine.core.models import Event
from puppet_engine.storage.event_rows import events_of
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.settling import settle_events

ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('puppet_engine.wakeups', 0))"

IS_INSTALLED: Final = "SELECT 1 FROM pg_trigger WHERE tgname = 'puppet_engine_postponed'"

INSTALL: Final = (
    """
    CREATE OR REPLACE FUNCTION puppet_engine_born() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO wakeups (sequence, due_at)
        SELECT sequence, due_at FROM born WHERE settled_at IS NULL;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION puppet_engine_postponed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO wakeups (sequence, due_at) VALUES (NEW.sequence, NEW.due_at)
        ON CONFLICT (sequence) DO UPDATE SET due_at = EXCLUDED.due_at;
        RETURN NULL;
    END $$
    """,
    """
    INSERT INTO wakeups (sequence, due_at)
    SELECT sequence, due_at FROM events WHERE settled_at IS NULL
    ON CONFLICT DO NOTHING
    """,
    """
    CREATE TRIGGER puppet_engine_born AFTER INSERT ON events
    REFERENCING NEW TABLE AS born FOR EACH STATEMENT EXECUTE FUNCTION puppet_engine_born()
    """,
    """
    CREATE TRIGGER puppet_engine_postponed AFTER UPDATE OF due_at, settled_at ON events
    FOR EACH ROW WHEN (NEW.settled_at IS NULL AND
        (NEW.due_at IS DISTINCT FROM OLD.due_at OR OLD.settled_at IS NOT NULL))
    EXECUTE FUNCTION puppet_engine_postponed()
    """,
)

REMOVE: Final = (
    "DROP TRIGGER IF EXISTS puppet_engine_born ON events",
    "DROP TRIGGER IF EXISTS puppet_engine_postponed ON events",
    "DELETE FROM wakeups",
)


class Wakeups:
    """The wake-ups that are still to be handed over, and what a wake-up asks for."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def install(self) -> None:
        """Let every event leave a wake-up from now on, and those that are pending, too."""

        def work(session: Session) -> None:
            session.execute(text(ONE_AT_A_TIME))
            if session.scalar(text(IS_INSTALLED)) is None:
                for statement in INSTALL:
                    session.execute(text(statement))

        await self._storage.run(work)

    async def remove(self) -> None:
        """Let events leave no wake-ups any more: an engine that needs none has taken over."""

        def work(session: Session) -> None:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text(ONE_AT_A_TIME))
                for statement in REMOVE:
                    session.execute(text(statement))

        await self._storage.run(work)

    async def waiting(self, *, limit: int) -> list[Event]:
        """Return events whose wake-up nobody has handed over yet, oldest first."""
        event, wakeup = self._storage.model("Event"), self._storage.model("Wakeup")
        waiting = (
            select(event.__table__)
            .join(wakeup, wakeup.sequence == event.sequence)
            .where(event.settled_at.is_(None))
            .order_by(event.sequence)
            .limit(limit)
        )
        return await self._storage.read(lambda session: events_of(session, self._storage, waiting))

    async def handed_over(self, events: Sequence[Event]) -> None:
        """Note that the wake-ups of these events, at these moments, are in safe hands."""
        model = self._storage.model("Wakeup")
        # Not by number alone: it may have been postponed meanwhile, and that one is still here.
        known = [(event.sequence, event.due_at) for event in events]
        gone = delete(model).where(tuple_(model.sequence, model.due_at).in_(known))

        def work(session: Session) -> None:
            session.execute(gone)

        await self._storage.run(work)

    async def asked_by(self, agent_id: str | None, sequence: int) -> Event | None:
        """Return what is to happen first when an event wakes its agent, or nobody.

        What is due and more urgent, then what comes before it in its own priority, then itself.
        None when the event is over, was cancelled, or is another's: then the wake-up is of a
        database that was here before, or of one that shares what keeps the time. Whoever obeyed
        it would take the event beside those who are woken for it.
        """
        return await self._storage.read(lambda session: self._first(session, agent_id, sequence))

    def _first(self, session: Session, agent_id: str | None, sequence: int) -> Event | None:
        model = self._storage.model("Event")
        events = select(model.__table__).where(model.settled_as.is_(None))
        named = next(
            iter(events_of(session, self._storage, events.where(model.sequence == sequence))), None
        )
        if named is None or named.agent_id != agent_id:
            return None
        if agent_id is None:
            return named
        first = (
            events.where(model.agent_id == agent_id)
            .where(
                or_(
                    model.sequence == sequence,
                    and_(
                        model.priority < int(named.priority),
                        model.due_at <= self._storage.clock.now(),
                    ),
                    and_(
                        model.priority == int(named.priority),
                        tuple_(model.due_at, model.sequence) <= tuple_(named.due_at, sequence),
                    ),
                )
            )
            .order_by(model.priority, model.due_at, model.sequence)
            .limit(1)
        )
        return next(iter(events_of(session, self._storage, first)), None)

    async def settle(self, events: Sequence[Event]) -> list[Event]:
        """Mark events as over that ask for nothing; return those that were not over before."""

        def work(session: Session) -> list[Event]:
            is_new = settle_events(session, self._storage, [(event, "") for event in events])
            return [event for event, new in zip(events, is_new, strict=True) if new]

        return await self._storage.run(work)
