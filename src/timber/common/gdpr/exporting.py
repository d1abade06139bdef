"""Everything that is stored about a person, row by row, in bounded memory."""

import contextlib
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, or_, select
from sqlalchemy.orm import Session

from timber.common.database.retrying import isolate
from timber.common.gdpr.beside import OUTBOX, TEXTS
from timber.common.gdpr.neutral import sealed_names
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import Person, key_text, keys_of
from timber.common.gdpr.texts import held_texts, owned_texts
from timber.common.vector.sealed_pieces import SEALED

BATCH: Final = 200
"""How many rows are in memory at once."""
_OF_TEXTS: Final = (
    *("source_type", "source_id", "ordinal", "owner", "content"),
    *("attributes", "importance", "occurred_at", "created_at"),
)

OpenRow = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Takes a table and a row as it is stored; returns the row with its encrypted values opened."""


@dataclass(frozen=True)
class ExportedRow:
    """A row about the person."""

    section: str
    """The model, or the table where there is none."""
    values: Mapping[str, Any]
    """By column, as Python has them."""


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """Reads what is stored about a person."""

    schema: Schema
    tables: Mapping[str, Table]
    names: Mapping[str, str]
    """The models by their tables."""
    open_row: OpenRow

    def rows(self, session: Session, person: Person) -> Generator[ExportedRow]:
        """Give every row as it was at one moment, by tables; the session is closed in the end."""
        with session:
            connection = session.connection()
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # one moment, and no right to write
            else:
                session.rollback()
                isolate(session, "REPEATABLE READ")
                connection = session.connection()
            for section in self._sections(connection.dialect.name, person):
                yield from section.rows(connection)

    def count(self, connection: Connection, person: Person) -> int:
        """Return how many rows there are."""
        return sum(
            one.count(connection) for one in self._sections(connection.dialect.name, person)
        )

    def count_texts(
        self, connection: Connection, person: Person, retained: Collection[str]
    ) -> int:
        """Return how many pieces of texts are the person's, but for those of rows that stay."""
        if TEXTS not in self.tables:
            return 0
        chunks = self.tables[TEXTS]
        dialect = connection.dialect.name
        held = held_texts(self.schema, self.schema.holds.read(connection), chunks, dialect)
        return sum(
            _Section(
                one.name,
                one.table,
                one.condition & chunks.c.source_type.not_in(sorted(retained)) & ~held,
                (),
                None,
            ).count(connection)
            for one in self._sections(connection.dialect.name, person)
            if one.table is chunks
        )

    def _sections(self, dialect: str, person: Person) -> Iterator["_Section"]:
        theirs = []
        for table in reversed(self.schema.tables):
            owner = self.schema.owner(table)
            if owner is None or not owner.ways_to(person.table):
                continue
            theirs.append(table.key)
            condition = self.schema.belonging.of(table, table.key, person)
            shown = owner.exported or tuple(table.c.keys())
            name = self.names.get(table.key, table.key)
            hidden = sealed_names(table).difference(owner.sealed)  # what finds sealed values
            shown = tuple(one for one in shown if one not in hidden)
            yield _Section(name, table, condition, shown, self.open_row if owner.sealed else None)
        yield from self._beside(dialect, person, theirs)

    def _beside(
        self, dialect: str, person: Person, theirs: Collection[str]
    ) -> Iterator["_Section"]:
        """Give what other tables know of the rows without a foreign key."""
        about: dict[str, list[ColumnElement[bool]]] = {}
        for name in theirs:
            beside = self.schema.beside.get(name)
            for one in beside.all if beside else ():
                if one.table.key == OUTBOX:
                    continue
                table = self.tables[name].alias()
                [key] = keys_of(self.tables[name])
                mine = select(key_text(table.c[key.key], dialect)).where(
                    self.schema.belonging.of(table, name, person)
                )
                about.setdefault(one.table.key, []).append(
                    (one.table.c[one.kind_column] == one.kind)
                    & one.table.c[one.id_column].in_(mine)
                )
        if TEXTS in self.tables:
            owned = owned_texts(self.tables[TEXTS], person, ())
            about.setdefault(TEXTS, []).append(owned)
        for name, conditions in about.items():
            table = self.tables[name]
            shown = _OF_TEXTS if name == TEXTS else tuple(table.c.keys())
            opens = self._open_text if name == TEXTS else None
            yield _Section(self.names.get(name, name), table, or_(*conditions), shown, opens)

    def _open_text(self, table: str, piece: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a piece of a text as it is to be read, where it is encrypted."""
        if piece[SEALED] is None:
            return piece
        return {**piece, "content": self.open_row(table, piece)[SEALED]}


@dataclass(frozen=True)
class _Section:
    """The rows of one table that are exported."""

    name: str
    table: Table
    condition: ColumnElement[bool]
    shown: Sequence[str]
    open_row: OpenRow | None

    def rows(self, connection: Connection) -> Iterator[ExportedRow]:
        # All columns where some are sealed: opening takes the key of the row, and its link.
        wanted = list(self.table.c) if self.open_row else [self.table.c[one] for one in self.shown]
        names = [column.key for column in wanted]
        found = connection.execute(
            select(*wanted).where(self.condition), execution_options={"yield_per": BATCH}
        )
        with contextlib.closing(found):
            for row in found:
                values: Mapping[str, Any] = dict(zip(names, row, strict=True))
                if self.open_row:
                    values = self.open_row(self.table.key, values)
                yield ExportedRow(self.name, {name: values[name] for name in self.shown})

    def count(self, connection: Connection) -> int:
        statement = select(func.count()).select_from(self.table).where(self.condition)
        return int(connection.scalar(statement) or 0)
