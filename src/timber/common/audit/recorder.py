"""Chains what triggers have noted, in the transaction that wrote it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, LargeBinary, Select, select, text

from timber.common.audit.actors import Acting
from timber.common.audit.apart import Apart
from timber.common.audit.audited import AuditedTable
from timber.common.audit.chain import Entry, key_text
from timber.common.audit.lanes import OWN, Tail, run, store, taken_tail
from timber.common.audit.marks import Marks
from timber.common.audit.notes import Note, entry_of
from timber.common.audit.tables import LOG, PENDING
from timber.common.clock import Clock
from timber.common.errors import InvalidValueError

PAGE: Final = 1_000
"""How many entries are in memory at once."""

BROKEN: Final = "broken"
"""The fact that says of an entry that its note was none that a trigger writes."""
_UNREADABLE: Final = (InvalidValueError, ValueError, TypeError, LookupError, AttributeError)
_WITH_ROW: Final = ("insert", "update")


class _Noted(NamedTuple):
    """What a trigger has noted."""

    sequence: int
    table_name: str
    operation: str
    row_key: str | None
    link: str | None
    columns: str | None


@dataclass(frozen=True)
class _Current:
    """What is known of noted rows, by the numbers of the notes."""

    rows: Mapping[int, Sequence[Any]]
    """The audited columns as they are now."""
    subjects: Mapping[int, str]
    """Whom rows were about that are gone with what said so."""


@dataclass
class Written:
    """What a transaction has written so far, as far as audits go."""

    floor: int
    """What the transaction has noted has a greater number."""
    acting: Acting | None = None
    """Who acted last."""
    spans: list[tuple[int, Acting | None]] = field(default_factory=list)
    """Up to which number who acted, where several have."""

    def actor_of(self, sequence: int, default: Acting) -> Acting:
        """Return who was at work when that was noted."""
        for last, acting in self.spans:
            if sequence <= last:
                return acting or default
        return self.acting or default


class Recorder:
    """Appends to the log of one database."""

    def __init__(
        self,
        *,
        engine: Engine,
        marks: Marks,
        tables: Mapping[str, AuditedTable],
        clock: Clock,
        default_actor: str,
    ) -> None:
        self.engine = engine
        self._ends = Apart(engine)
        self.marks = marks
        self._tables = tables
        self._clock = clock
        self.default = Acting(default_actor)
        self._is_sqlite = engine.dialect.name == "sqlite"
        own = "sequence > ?" if self._is_sqlite else f"sequence > %s AND {OWN}"
        self._next_own = (
            f"SELECT {', '.join(_Noted._fields)} FROM {PENDING.name} "
            f"WHERE {own} ORDER BY sequence LIMIT {PAGE}"
        )
        self._current: dict[str, Select[Any]] = {
            name: self._reading(one) for name, one in tables.items()
        }

    def append(
        self,
        connection: Connection,
        notes: Sequence[Note],
        tail: Tail | None = None,
        *,
        chained: tuple[int, int] | None = None,
    ) -> Tail:
        """Put notes at the end of a lane, which is held until the transaction ends."""
        if tail is None:
            tail = taken_tail(connection, self._ends, self.marks.key)
            tail.batch = tail.position + 1
        self.marks.prepare({one.subject for one in notes if one.subject is not None})
        rows: list[tuple[Entry, bytes]] = []
        for note in notes:
            entry = entry_of(
                note, self.marks, lane=tail.lane, position=tail.position + 1, batch=tail.batch
            )
            rows.append((entry, tail.append(entry)))
        store(connection, rows, chained)
        return tail

    def chain(self, connection: Connection, written: Written) -> int:
        """Chain what the connection's transaction has noted; return its last number."""
        moment = self._clock.now()
        last, tail = written.floor, None
        while page := self._page(connection, last):
            current = self._around(connection, page)
            notes = [
                self._note(one, current, written.actor_of(one.sequence, self.default), moment)
                for one in page
            ]
            before, last = last, page[-1].sequence
            tail = self.append(connection, notes, tail, chained=(before, last))
            if len(page) < PAGE:
                break
        return last

    def chain_outside(self, connection: Connection) -> int:
        """Chain a page of what others have left, as from outside; return how much that was."""
        others = select(PENDING).order_by(PENDING.c.sequence).limit(PAGE)
        if not self._is_sqlite:
            others = others.with_for_update(skip_locked=True)
        page = connection.execute(others).all()
        if not page:
            return 0
        try:
            notes = self._notes_outside(connection, page)
        except _UNREADABLE:
            page = page[:1]
            notes = self._one_outside(connection, page[0])
        self.append(connection, notes)
        numbers = ", ".join(str(one.sequence) for one in page)
        run(connection, f"DELETE FROM {PENDING.name} WHERE sequence IN ({numbers})")
        return len(page)

    def _notes_outside(self, connection: Connection, page: Sequence[Any]) -> list[Note]:
        for one in page:
            self._require_key(one)
        with connection.begin_nested():
            current = self._around(connection, page)
        return [
            self._note(one, current, Acting(one.writer or "unknown"), one.written_at, outside=True)
            for one in page
        ]

    def _require_key(self, noted: Any) -> None:
        audited = self._tables.get(noted.table_name)
        if audited is not None and noted.row_key is not None:
            key = json.loads(noted.row_key)
            if not isinstance(key, list) or len(key) != len(audited.key):
                raise ValueError("a note without a key")

    def _one_outside(self, connection: Connection, noted: Any) -> list[Note]:
        try:
            return self._notes_outside(connection, [noted])
        except _UNREADABLE:
            # No trigger wrote this. It is chained without what cannot be read, and is told.
            broken = Note(
                table=noted.table_name,
                operation=noted.operation,
                moment=noted.written_at,
                acting=Acting(noted.writer or "unknown"),
                is_outside=True,
                number=noted.sequence,
                facts={BROKEN: 1},
            )
            return [broken]

    def last_noted(self, cursor: Any) -> int:
        """Return the greatest number that was given out so far on this connection's view."""
        cursor.execute(f"SELECT coalesce(max(sequence), 0) FROM {PENDING.name}")
        return int(cursor.fetchone()[0])

    def close(self) -> None:
        """Close what it has open beside the engine."""
        self._ends.close()

    def _page(self, connection: Connection, floor: int) -> list[_Noted]:
        return [_Noted(*row) for row in run(connection, self._next_own, (floor,))]

    def _note(
        self,
        noted: Any,
        current: _Current,
        acting: Acting,
        moment: Any,
        *,
        outside: bool = False,
    ) -> Note:
        audited = self._tables.get(noted.table_name)
        row = current.rows.get(noted.sequence)
        common: dict[str, Any] = {
            "table": noted.table_name,
            "operation": noted.operation,
            "moment": moment,
            "acting": acting,
            "is_outside": outside,
            "number": noted.sequence,
        }
        if audited is None or noted.row_key is None:
            return Note(**common)
        key = audited.plain_key(json.loads(noted.row_key), self.engine.dialect)
        changed = tuple(one for one in (noted.columns or "").split(",") if one)
        values = dict(zip(audited.fields, row, strict=True)) if row is not None else {}
        if noted.operation == "update":
            values = {name: values[name] for name in changed if name in values}
        return Note(
            **common,
            key=key,
            subject=current.subjects.get(noted.sequence) or audited.subject(noted.link, key),
            columns=changed,
            values=values,
        )

    def _around(self, connection: Connection, page: Sequence[Any]) -> "_Current":
        return _Current(self._values(connection, page), self._last_subjects(connection, page))

    def _last_subjects(self, connection: Connection, page: Sequence[Any]) -> dict[int, str]:
        """Return whom rows were about that went together with what said so, by the log."""
        lost: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in page:
            audited = self._tables.get(one.table_name)
            if one.operation == "delete" and one.link is None and audited and audited.path:
                key = audited.plain_key(json.loads(one.row_key), self.engine.dialect)
                lost[one.table_name, key_text(key)].append(one.sequence)
        found: dict[int, str] = {}
        for name in {table for table, _ in lost}:
            keys = [key for table, key in lost if table == name]
            rows = connection.execute(
                select(LOG.c.row_key, LOG.c.subject)
                .where(LOG.c.table_name == name, LOG.c.row_key.in_(keys))
                .order_by(LOG.c.moment, LOG.c.lane, LOG.c.position)
            )
            for row in rows:
                found.update(dict.fromkeys(lost[name, row.row_key], row.subject))
        return found

    def _values(self, connection: Connection, page: Sequence[Any]) -> dict[int, Sequence[Any]]:
        """Return the rows that were written, as they are now, by the number of the note."""
        spans: dict[str, list[int]] = defaultdict(list)
        for one in page:
            if one.operation in _WITH_ROW:
                spans[one.table_name].append(one.sequence)
        found: dict[int, Sequence[Any]] = {}
        for name, numbers in spans.items():
            if name in self._current:
                rows = connection.execute(
                    self._current[name],
                    {"first": numbers[0], "last": numbers[-1], "table": name},
                )
                found.update((row[0], row[1:]) for row in rows)
        return found

    def _reading(self, audited: AuditedTable) -> Select[Any]:
        fields = [
            audited.table.c[name].label(f"field_{place}")
            for place, name in enumerate(audited.fields)
        ]
        return (
            select(PENDING.c.sequence, *fields)
            .select_from(PENDING.join(audited.table, text(self._same_row(audited))))
            .where(text("sequence BETWEEN :first AND :last AND table_name = :table"))
        )

    def _same_row(self, audited: AuditedTable) -> str:
        dialect = self.engine.dialect
        quote = dialect.identifier_preparer.quote
        table, noted = quote(audited.name), f"{PENDING.name}.row_key"
        conditions = []
        for place, column in enumerate(audited.key):
            name = f"{table}.{quote(column.name)}"
            is_bytes = isinstance(column.type, LargeBinary)
            if self._is_sqlite:
                value = f"json_extract({noted}, '$[{place}]')"
                conditions.append(f"hex({name}) = {value}" if is_bytes else f"{name} = {value}")
            else:
                value = f"(CAST({noted} AS json) ->> {place})"
                kind = column.type.compile(dialect)
                cast = f"decode({value}, 'hex')" if is_bytes else f"CAST({value} AS {kind})"
                conditions.append(f"{name} = {cast}")
        return " AND ".join(conditions).replace(":", "\\:")
