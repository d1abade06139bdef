"""How far an erasure is, kept in the database, so that whoever comes next can go on with it.

Whatever an erasure does to rows is in one transaction with the note of it, under a lock of the
note. So processes can be at the same erasure at once, and nothing is counted twice.
"""

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from timber.common.caching import codec
from timber.common.clock import Clock
from timber.common.database.sqlite_transactions import begin
from timber.common.errors import ErasureError
from timber.common.gdpr.subjects import Person
from timber.common.gdpr.tables import erasures, listed
from timber.common.ids import IdFactory


class Step(StrEnum):
    """What is to be done next."""

    KEYS = "keys"
    LIST = "list"
    ROWS = "rows"
    EMPTY = "empty"
    TEXTS = "texts"
    CACHES = "caches"
    SWEEP = "sweep"
    CERTIFY = "certify"
    FINISHED = "finished"


@dataclass(frozen=True)
class Erasing:
    """An erasure, as its note says."""

    erasure_id: str
    tombstone: str
    person: Person | None
    """None when it is finished."""
    step: Step
    counts: "Counts"
    started_at: datetime
    finished_at: datetime | None
    certificate: str | None

    @property
    def whom(self) -> Person:
        """The person of one that is under way."""
        if self.person is None:
            raise ErasureError(f"the erasure {self.erasure_id} is finished")
        return self.person


@dataclass
class Counts:
    """What was done so far."""

    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    """By table and by what became of the rows: deleted, anonymised, emptied, unlinked."""
    kept: dict[str, list[str]] = field(default_factory=dict)
    """By table the personal columns that stay as they were, for what stays points to them."""
    keys: int = 0
    texts: int = 0
    moments: dict[str, str] = field(default_factory=dict)
    """When each step was done last."""
    gone_before: int = -1
    """How many rows were gone when this round of deletions began."""
    sweeps: int = 0
    """How often rows were found that were written meanwhile."""
    erased_at: int | None = None
    """Which erasure of the person this is, as the keystore counts them: it stays in the end. None
    of one that an older release has finished."""

    def add(self, table: str, what: str, number: int) -> None:
        if number:
            of_table = self.tables.setdefault(table, {})
            of_table[what] = of_table.get(what, 0) + number

    def keep(self, table: str, column: str) -> None:
        self.kept[table] = sorted({*self.kept.get(table, ()), column})

    def total(self, what: str) -> int:
        return sum(one.get(what, 0) for one in self.tables.values())


_UNFINISHED: Final = erasures.c.finished_at.is_(None)


@dataclass(frozen=True)
class Saga:
    """The notes of all erasures of one database."""

    clock: Clock
    new_id: IdFactory

    def begin(self, connection: Connection, person: Person, tombstone: str) -> Erasing:
        """Note an erasure; return the one that is under way if there is one."""
        begin(connection)
        for_update = select(erasures).where(erasures.c.tombstone == tombstone, _UNFINISHED)
        known = connection.execute(for_update).first()
        if known is not None:
            return _read(known)
        erasure_id = self.new_id()
        row = {
            "erasure_id": erasure_id,
            "tombstone": tombstone,
            "people": person.table,
            "subject_key": codec.dumps([person.key]).decode(),
            "step": Step.KEYS.value,
            "counts": _written(Counts()),
            "started_at": self.clock.now(),
        }
        connection.execute(insert(erasures), row)
        return self.locked(connection, erasure_id)

    def locked(self, connection: Connection, erasure_id: str) -> Erasing:
        """Return an erasure, and let nobody else go on with it until the transaction ends."""
        statement = select(erasures).where(erasures.c.erasure_id == erasure_id).with_for_update()
        return _read(connection.execute(statement).one())

    def save(self, connection: Connection, erasing: Erasing, *, step: Step | None = None) -> None:
        """Note what was done, and what is next."""
        if step is not None and step is not erasing.step:
            erasing.counts.moments[erasing.step.value] = self.clock.now().isoformat()
        changes: dict[str, Any] = {"counts": _written(erasing.counts)}
        if step is not None:
            changes["step"] = step.value
        self._update(connection, erasing.erasure_id, changes)

    def finish(self, connection: Connection, erasing: Erasing, certificate: str) -> None:
        """Note that it is done, and forget about whom it was."""
        connection.execute(delete(listed).where(listed.c.erasure_id == erasing.erasure_id))
        changes: dict[str, Any] = {
            "step": Step.FINISHED.value,
            "subject_key": None,
            "counts": {"erased_at": erasing.counts.erased_at},
            "finished_at": self.clock.now(),
            "certificate": certificate,
        }
        self._update(connection, erasing.erasure_id, changes)

    def note_absent(self, connection: Connection, tombstone: str, erased_at: int) -> None:
        """Note that the database has nothing about somebody whom the keystore knows as erased."""
        now = self.clock.now()
        row = {
            "erasure_id": self.new_id(),
            "tombstone": tombstone,
            "people": "",
            "step": Step.FINISHED.value,
            "counts": {"erased_at": erased_at},
            "started_at": now,
            "finished_at": now,
        }
        connection.execute(insert(erasures), row)

    def all(self, connection: Connection) -> list[Erasing]:
        """Return all erasures, the first one first."""
        order = (erasures.c.started_at, erasures.c.erasure_id)
        return [_read(row) for row in connection.execute(select(erasures).order_by(*order))]

    def unfinished(self, connection: Connection) -> list[Erasing]:
        """Return those that are under way."""
        statement = select(erasures).where(_UNFINISHED).order_by(erasures.c.started_at)
        return [_read(row) for row in connection.execute(statement)]

    def latest(self, connection: Connection, tombstone: str) -> Erasing | None:
        """Return the last one of a person that is finished with a certificate; None if none is."""
        statement = (
            select(erasures)
            .where(erasures.c.tombstone == tombstone, erasures.c.certificate.is_not(None))
            .order_by(erasures.c.finished_at.desc())
            .limit(1)
        )
        row = connection.execute(statement).first()
        return None if row is None else _read(row)

    def settled(self, connection: Connection, tombstone: str | None = None) -> dict[str, float]:
        """Return up to which erasure of each person this database is done; of one, if one is told.

        The erasures of older releases, which did not count them, are taken for the last ones.
        """
        statement = select(erasures.c.tombstone, erasures.c.counts).where(
            erasures.c.finished_at.is_not(None)
        )
        if tombstone is not None:
            statement = statement.where(erasures.c.tombstone == tombstone)
        found: dict[str, float] = {}
        for name, counts in connection.execute(statement):
            said = counts.get("erased_at")
            found[name] = max(found.get(name, 0), math.inf if said is None else said)
        return found

    def _update(self, connection: Connection, erasure_id: str, changes: dict[str, Any]) -> None:
        connection.execute(
            update(erasures).where(erasures.c.erasure_id == erasure_id).values(changes)
        )


def _read(row: Row[Any]) -> Erasing:
    person = None
    if row.subject_key is not None:
        [key] = codec.loads(row.subject_key.encode())
        person = Person(row.people, key)
    return Erasing(
        erasure_id=row.erasure_id,
        tombstone=row.tombstone,
        person=person,
        step=Step(row.step),
        counts=Counts(**row.counts),
        started_at=row.started_at,
        finished_at=row.finished_at,
        certificate=row.certificate,
    )


def _written(counts: Counts) -> dict[str, Any]:
    # A copy of its own, for the same object may be changed and written again.
    told: dict[str, Any] = json.loads(json.dumps(vars(counts)))
    return told
