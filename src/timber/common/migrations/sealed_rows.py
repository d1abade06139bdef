"""Rows whose values are sealed, opened, or sealed otherwise: a page at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Dialect,
    Enum,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    func,
    inspect,
    literal,
    literal_column,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.types import TypeEngine

from timber.common.encryption.identities import SealTarget
from timber.common.errors import SubjectErasedError
from timber.common.failpoints import NamedPlace, reach
from timber.common.migrations.conversions import conversion
from timber.common.migrations.sealed_definitions import (
    KnownTable,
    Part,
    built,
    keys_of,
    known_table,
)
from timber.common.migrations.values import sql_of
from timber.common.modeling.sealed_tables import Places

SCRATCH: Final = "__timber"
"""What the name of a column ends with while its values are made."""
_PAGE: Final = 1_000
_KEY, _NEW = "key_", "new_"
_TO: Final = "to_"
_GIVEN: Final = "given_"
"""What the name of a column begins with under which its rows without a value find one."""

Tell = Callable[[str, int | None], None]


class SealFailpoint(NamedPlace):
    """Places in a step at which a process can be ended on purpose."""

    PAGE = "migrations.seal.page"
    """Some rows are written, others not."""
    ROWS_DONE = "migrations.seal.rows_done"
    """All rows are written; the columns that were are still there."""
    COMMITTED = "migrations.seal.committed"
    """The step is applied; on SQLite, its files are not yet written anew."""


@dataclass(frozen=True)
class RowChange:
    """What is to be done to each row of a table."""

    table: str
    before: Part | None
    after: Part | None
    plain: Mapping[str, Column[Any]]
    fill: Mapping[str, Mapping[str, Any]]

    def columns_there(self, connection: Connection) -> dict[str, TypeEngine[Any]]:
        """Return the columns that the table has, and their types."""
        return {one["name"]: one["type"] for one in inspect(connection).get_columns(self.table)}

    @property
    def part(self) -> Part:
        """What says how a row is known."""
        part = self.after or self.before
        if part is None:
            raise ValueError(f"nothing of {self.table} is to be sealed or opened")
        return part


def change_rows(connection: Connection, change: RowChange, *, tell: Tell | None) -> None:
    """Write the values of all rows into the columns that are to take the old ones' places.

    Raises:
        EncryptionError: a value cannot be opened, although its person was not erased.
        InvalidValueError: the new column cannot hold a value.

    """
    if not _targets(change):
        return  # columns go, and none comes
    work = _Work(connection, change)
    total = work.count() if tell else None
    done = 0
    for page in work.pages():
        work.write(page)
        done += len(page)
        reach(SealFailpoint.PAGE)
        if tell:
            tell(f"encrypt or decrypt {change.table}, {done:,} rows done", total)
    reach(SealFailpoint.ROWS_DONE)


def lost_by_erasure(connection: Connection, change: RowChange) -> Counter[str]:
    """Return how many values of each column belong to people whose keys were destroyed."""
    found: Counter[str] = Counter()
    if change.before is not None:
        work = _Work(connection, change)
        for page in work.pages():
            for row in page:
                work.opened(row, found)
    return found


class _Work:
    """One table, and its rows as they are now."""

    def __init__(self, connection: Connection, change: RowChange) -> None:
        self._connection = connection
        self._change = change
        self._there = change.columns_there(connection)
        sealing = change.part.sealing
        self._key = sealing.key
        self._links = {
            part.sealing.link.name: part.sealing.link.type
            for part in (change.before, change.after)
            if part is not None and part.sealing.link is not None
        }
        self._sources = _sources(change)
        names = [one.name for one in self._key]
        self._table = Table(
            change.table,
            MetaData(),
            *(Column(one.name, built(one.type), primary_key=True) for one in self._key),
            *(
                Column(name, built(kind))
                for name, kind in self._links.items()
                if name in self._there and name not in names
            ),
            *(Column(f"{name}{SCRATCH}", kind) for name, kind in _targets(change).items()),
        )

    @cached_property
    def _before(self) -> KnownTable | None:
        part = self._change.before
        return None if part is None else known_table(part.sealing, keys_of(self._connection))

    @cached_property
    def _after(self) -> KnownTable | None:
        part = self._change.after
        return None if part is None else known_table(part.sealing, keys_of(self._connection))

    def count(self) -> int:
        """Return how many rows there are."""
        query = select(func.count()).select_from(self._table)
        return int(self._connection.execute(query).scalar_one())

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows, with what is to be changed of them, a page at a time."""
        key = [self._table.c[one.name] for one in self._key]
        links = [self._table.c[name] for name in self._links if name in self._table.c]
        values = [
            type_coerce(self._source(name), kind).label(f"{_TO}{name}")
            for name, kind in self._sources.items()
            if name in self._there or name in self._change.fill
        ]
        values += [
            type_coerce(literal_column(self._given(name)), self._plain(name)).label(
                f"{_GIVEN}{name}"
            )
            for name in self._filled_anew
        ]
        query = select(*key, *(one for one in links if one not in set(key)), *values)
        query = query.order_by(*key).limit(_PAGE)
        last: tuple[Any, ...] | None = None
        while True:
            page = self._connection.execute(_after_row(query, key, last)).mappings().all()
            if not page:
                return
            yield [dict(row) for row in page]
            last = tuple(page[-1][one.name] for one in self._key)

    def _source(self, name: str) -> Any:
        """Return the SQL of a column's value, as the type in which it is to be sealed."""
        dialect = self._connection.dialect
        quoted = dialect.identifier_preparer.quote(name)
        kind = self._sources[name]
        is_plain = self._change.before is None or name not in self._change.before.by_place
        expression = quoted if name in self._there else "NULL"
        if is_plain and name in self._there:
            expression = converted(quoted, self._there[name], kind, dialect)
        if name in self._change.fill and is_plain:
            expression = f"COALESCE({expression}, {self._given(name)})"
        return literal_column(expression)

    @cached_property
    def _filled_anew(self) -> tuple[str, ...]:
        """The columns that were sealed before, and get a value where they have none."""
        before, after = self._change.before, self._change.after
        sealed = set(before.by_place if before else ()) & set(after.by_place if after else ())
        return tuple(sorted(sealed & self._change.fill.keys()))

    def _plain(self, name: str) -> TypeEngine[Any]:
        """Return as what type a column is to be sealed."""
        part = self._change.part
        return built(part.sealing.fields[part.by_place[name]].type)

    def _given(self, name: str) -> str:
        """Return the SQL of what a column gets where it has no value."""
        kind, dialect = self._plain(name), self._connection.dialect
        return _filling(self._change.fill[name], kind, dialect)

    def opened(self, row: Mapping[str, Any], erased: Counter[str]) -> dict[str, Any]:
        """Return what was sealed in a row, opened; null where nobody can."""
        found: dict[str, Any] = {}
        known, part = self._before, self._change.before
        if known is None or part is None:
            return found
        key = tuple(row[one.name] for one in part.sealing.key)
        link = row.get(known.sealed.link) if known.sealed.link else None
        for place, name in part.by_place.items():
            value = row[f"{_TO}{place}"]
            if value is None:
                found[place] = None
                continue
            target = SealTarget(table=known.sealed.name, column=name, key=key, link=link)
            try:
                found[place] = known.sealer.open_value(target, bytes(value))
            except SubjectErasedError:
                erased[place] += 1
                found[place] = None
        return found

    def write(self, page: Sequence[Mapping[str, Any]]) -> None:
        """Write what the rows of a page are to hold."""
        rows = [self._row(row) for row in page]
        self._seal(rows)
        targets = [f"{name}{SCRATCH}" for name in _targets(self._change)]
        same = [self._table.c[one.name] == bindparam(f"{_KEY}{one.name}") for one in self._key]
        statement = (
            update(self._table)
            .where(*same)
            .values({name: bindparam(f"{_NEW}{name}") for name in targets})
        )
        self._connection.execute(
            statement,
            [
                {f"{_KEY}{one.name}": row[one.name] for one in self._key}
                | {
                    f"{_NEW}{name}{SCRATCH}": _bytes(row.get(name))
                    for name in _targets(self._change)
                }
                for row in rows
            ],
        )

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        done = {name: row.get(name) for name in (*(one.name for one in self._key), *self._links)}
        done |= self.opened(row, Counter())
        for name in self._sources:
            if name not in done:
                done[name] = row.get(f"{_TO}{name}")
        for name in self._filled_anew:
            if row[f"{_TO}{name}"] is None:
                done[name] = row[f"{_GIVEN}{name}"]
        return done

    def _seal(self, rows: list[dict[str, Any]]) -> None:
        known, part = self._after, self._change.after
        if known is None or part is None:
            return
        places = Places(
            key=tuple(one.name for one in part.sealing.key),
            link=known.sealed.link,
            fields=tuple(
                (known.sealed.columns[name], place, known.sealed.columns[name].index)
                for place, name in part.by_place.items()
            ),
        )
        known.sealer.seal_rows(known.sealed, rows, places, self._connection)


def _after_row(query: Any, key: Sequence[Any], last: Sequence[Any] | None) -> Any:
    if last is None:
        return query
    bounds = [literal(one, column.type) for one, column in zip(last, key, strict=True)]
    if len(key) == 1:
        return query.where(key[0] > bounds[0])
    return query.where(tuple_(*key) > tuple_(*bounds))


def _sources(change: RowChange) -> dict[str, TypeEngine[Any]]:
    """Return the columns whose values are read, and as what."""
    found: dict[str, TypeEngine[Any]] = {}
    if change.after is not None:
        for place, name in change.after.by_place.items():
            found[place] = built(change.after.sealing.fields[name].type)
    if change.before is not None:
        found |= dict.fromkeys(change.before.by_place, LargeBinary())
    return found


def _targets(change: RowChange) -> dict[str, TypeEngine[Any]]:
    """Return the columns that are made, and their types."""
    found: dict[str, TypeEngine[Any]] = {name: one.type for name, one in change.plain.items()}
    if change.after is not None:
        fields = change.after.sealing.fields
        found |= dict.fromkeys(change.after.by_place, LargeBinary())
        found |= {one.index: LargeBinary() for one in fields.values() if one.index}
    return found


def converted(quoted: str, old: TypeEngine[Any], new: TypeEngine[Any], dialect: Dialect) -> str:
    """Return the SQL of a column's value as one of the type in which it is to be sealed."""
    if old.compile(dialect) == new.compile(dialect) and not isinstance(new, Enum):
        return quoted
    return conversion(quoted, old, new, dialect).expression


def conversion_to_seal(
    quoted: str, old: TypeEngine[Any], new: TypeEngine[Any], dialect: Dialect
) -> str | None:
    """Return the SQL of which values do not fit; None: all of them do."""
    if old.compile(dialect) == new.compile(dialect) and not isinstance(new, Enum):
        return None
    return conversion(quoted, old, new, dialect).misfits


def _filling(said: Mapping[str, Any], kind: TypeEngine[Any], dialect: Dialect) -> str:
    if said.get("generate") == "now" and isinstance(kind, Date):
        return "date('now')" if dialect.name == "sqlite" else "CAST(now() AS DATE)"
    written = sql_of(said.get("value"), said.get("generate"), dialect.name)
    if dialect.name == "sqlite":
        return written
    return f"CAST({written} AS {kind.compile(dialect)})"


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytes) else value
