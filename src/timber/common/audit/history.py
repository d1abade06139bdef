"""Reads the log for people: newest first, page by page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, select, tuple_

from timber.common.audit.chain import key_text
from timber.common.audit.tables import LOG

_PAGE: Final = 500


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One entry, as people read it."""

    moment: datetime
    actor: str | None
    """None if the actor was erased."""
    operation: str
    table: str
    key: tuple[Any, ...] | None
    """The primary key; None where there is none, or where the subject was erased."""
    columns: tuple[str, ...] = ()
    """Those that were changed or read; of a new row, all that are audited."""
    commitments: Mapping[str, str] = field(default_factory=dict)
    """Keyed commitments to the values when the transaction ended, by column."""
    reason: str | None = None
    is_outside: bool = False
    """Whether it was written past Timber."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    lane: int
    position: int
    transaction: int
    """The position of the first entry of its transaction, in the same lane."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which entries are wanted; all when nothing is said."""

    table: str | None = None
    key: Sequence[Any] | None = None
    actor: str | None = None
    operation: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        said = {
            LOG.c.table_name: self.table,
            LOG.c.row_key: None if self.key is None else key_text(self.key),
            LOG.c.actor: self.actor,
            LOG.c.operation: self.operation,
        }
        found = [column == value for column, value in said.items() if value is not None]
        if self.since is not None:
            found.append(LOG.c.moment >= self.since)
        if self.until is not None:
            found.append(LOG.c.moment < self.until)
        return found


_ORDER: Final = (LOG.c.moment, LOG.c.lane, LOG.c.position)


def history(engine: Engine, wanted: Filter, limit: int | None) -> Iterator[Recorded]:
    """Yield entries, the newest first, with a page of them in memory."""
    conditions, left = wanted.conditions, limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        statement = (
            select(LOG)
            .where(*conditions)
            .order_by(*(column.desc() for column in _ORDER))
            .limit(size)
        )
        with engine.connect() as connection:
            page = connection.execute(statement).all()
        yield from map(_recorded, page)
        if len(page) < size:
            return
        left = None if left is None else left - size
        last = page[-1]
        before = tuple_(*_ORDER) < (last.moment, last.lane, last.position)
        conditions = [*wanted.conditions, before]


def _recorded(row: Any) -> Recorded:
    details = json.loads(row.details)
    values = details.get("values", {})
    return Recorded(
        moment=row.moment,
        actor=row.actor,
        operation=row.operation,
        table=row.table_name,
        key=None if row.row_key is None else tuple(json.loads(row.row_key)),
        columns=tuple(details.get("columns", ())) or tuple(sorted(values)),
        commitments=values,
        reason=details.get("reason"),
        is_outside=details.get("origin") == "outside",
        facts=details.get("facts", {}),
        lane=row.lane,
        position=row.position,
        transaction=details.get("batch", row.position),
    )
