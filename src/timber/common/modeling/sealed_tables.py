"""Tables with sealed columns: whose rows they are, and what keeps anything else out of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Protocol

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Index,
    Table as SQLTable,
    Text,
    UniqueConstraint,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import Boolean, TypeEngine

from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.conditions import parse_condition
from timber.common.modeling.sealed import INDEX_BYTES, BlindIndex, Blinds, SealedColumn
from timber.common.modeling.sealings import (
    NOTE,
    NamedColumn,
    SealedField,
    Sealing,
    Way,
    condition_of,
)
from timber.common.modeling.subjects import people_at, subject_way

SEALED: Final = "sealed"
"""Under this an SQL table's `info` holds its `SealedTable`."""
APART: Final = "sealed apart"
"""Under this it holds that of a table whose own service seals it."""
MAGIC: Final = b"\x54\x01"
"""What every sealed value begins with: `T`, and the version of the format."""
LEAST_BYTES: Final = 49
"""The length of the shortest sealed value: header, nonce, tag, and one byte of content."""
NOTHING_SEALED: Final = MAGIC.ljust(LEAST_BYTES, b"\0")
"""What looks like a sealed value and is none, where null must not be and nothing is to stay."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where in a row, a mapping or a list, the parts are that sealing it needs."""

    key: tuple[Any, ...]
    link: Any
    """None: the row has none."""
    fields: tuple[tuple[SealedColumn, Any, Any], ...]
    """Each column, where its value is, and where its index goes; None: it has none."""


class Seals(Blinds, Protocol):
    """Seals rows on their way to the database."""

    def seal_rows(
        self,
        table: "SealedTable",
        rows: Sequence[Any],
        places: Places,
        connection: Connection,
        links: Sequence[Any] | None = None,
    ) -> None:
        """Put sealed values, and their indexes, in the place of what the rows hold.

        The connection is asked for whose rows they are, where that takes more than the rows
        and their links, which are given where the rows do not hold them.
        """
        ...


@dataclass(frozen=True)
class Hop:
    """One step along foreign keys: from a value of `key` to that of `column` in the same row."""

    table: str
    key: str
    column: str


@dataclass(frozen=True)
class HashedWords:
    """A column with keyed hashes of the words of a sealed text."""

    column: str
    of: Callable[[Sequence[Any], str], str]
    """Returns what belongs there, of the key of the row and its text, by the newest root."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SealedTable:
    """What is to be known of a table with sealed columns."""

    name: str
    columns: Mapping[str, SealedColumn]
    link: str | None
    """The column by which a row belongs to a person; None: it does not, or is the person."""
    hops: tuple[Hop, ...]
    """How it goes on from the link to a person's key; often not at all."""
    is_people: bool
    """Whether each row is the person that it is about."""
    people: str
    """The table of that person."""
    sealing: Sealing
    """The same, as the database keeps it."""
    seals: Seals = field(repr=False)
    key: tuple[str, ...] = ()
    """The columns by which values are bound to their rows; empty: the primary key."""
    is_apart: bool = False
    """Whether a service of Timber seals its rows itself, each for whom it is told."""
    words: HashedWords | None = None
    """By what the text in the one column of a table apart is found."""

    def bound(self, table: SQLTable) -> tuple[Column[Any], ...]:
        """Return the columns of the SQL table by which values are bound to their rows."""
        return tuple(table.c[name] for name in self.key) or tuple(table.primary_key.columns)


def sealed_table(entry: Table, catalogue: Catalogue, seals: Seals) -> SealedTable | None:
    """Return what is to be known of the table; None if nothing of it is sealed."""
    encryption = entry.model.encryption if entry.model else None
    if encryption is None or not encryption.enabled:
        return None
    columns = {
        one.name: SealedColumn(
            table=entry.name,
            name=one.name,
            plain=entry.columns[one.name].column_type.build(),
            blinds=seals,
            index=index_name(one.name) if one.searchable else None,
            normalise=one.normalise,
        )
        for one in encryption.fields
    }
    way = subject_way(entry, catalogue)
    hops = tuple(_hops(entry, way or (), catalogue))
    link = way[0] if way else None
    key = () if encryption.bound_to is None else (encryption.bound_to,)
    return SealedTable(
        name=entry.name,
        columns=columns,
        link=link,
        hops=hops,
        is_people=way == (),
        people=people_at(entry, way or (), catalogue),
        sealing=Sealing(
            table=entry.name,
            fields={
                name: SealedField(
                    type=entry.columns[name].type, index=one.index, normalise=one.normalise
                )
                for name, one in columns.items()
            },
            key=tuple(_named(entry, name) for name in key or entry.primary_key),
            link=_named(entry, link) if link else None,
            way=tuple(_way(one, catalogue) for one in hops),
            is_people=way == (),
            people=people_at(entry, way or (), catalogue),
        ),
        seals=seals,
        key=key,
    )


def _named(entry: Table, name: str) -> NamedColumn:
    return NamedColumn(name=name, type=entry.columns[name].type)


def _way(hop: Hop, catalogue: Catalogue) -> Way:
    entry = catalogue.tables[hop.table]
    return Way(table=hop.table, key=_named(entry, hop.key), column=_named(entry, hop.column))


def index_name(column: str) -> str:
    """Return the column that holds the index of a searchable one."""
    return f"{column}_index"


def _hops(entry: Table, way: tuple[str, ...], catalogue: Catalogue) -> Any:
    for name, following in pairwise(way):
        table, _, key = str(entry.columns[name].foreign_key).partition(".")
        yield Hop(table, key, following)
        entry = catalogue.tables[table]


def sealed_of(table: Any) -> SealedTable | None:
    """Return what is to be known of an SQL table; None if nothing of it is sealed."""
    found: SealedTable | None = getattr(table, "info", {}).get(SEALED)  # `table()` has none
    return found


def seal_apart(
    table: SQLTable, column: str, *, key: tuple[str, ...], words: HashedWords, seals: Seals
) -> None:
    """Let texts in a column of bytes be sealed by the service whose table it is.

    No statement is changed or refused for it. `key` names what the texts are bound to.
    """
    sealed = SealedColumn(table=table.name, name=column, plain=Text(), blinds=seals)
    table.info[APART] = SealedTable(
        name=table.name,
        columns={column: sealed},
        link=None,
        hops=(),
        is_people=False,
        people="",
        sealing=Sealing(table=table.name, fields={}, key=()),
        seals=seals,
        key=key,
        is_apart=True,
        words=words,
    )


def apart_of(table: SQLTable) -> SealedTable | None:
    """Return what is to be known of a table whose service seals it; None if it is none."""
    found: SealedTable | None = table.info.get(APART)
    return found


def complete_table(table: SQLTable, entry: Table, sealed: SealedTable) -> None:
    """Add to a table, when its class is mapped, what the class is to know nothing of."""
    table.info[SEALED] = sealed
    table.append_constraint(CheckConstraint(condition_of(sealed.sealing), name=NOTE))
    for name, column in sealed.columns.items():
        said = entry.columns[name]
        table.append_constraint(CheckConstraint(HoldsSealed(table.c[name]), name=f"{name}_sealed"))
        if column.index is None:
            continue
        # A default, so that every INSERT has a place for what is put there.
        table.append_column(
            Column(
                column.index,
                BlindIndex(),
                default=_nothing,
                unique=said.unique or None,
                index=said.index or None,
            )
        )
        table.append_constraint(
            CheckConstraint(HoldsIndex(table.c[column.index]), name=f"{column.index}_blind")
        )
    for unique in entry.spec.unique:
        if names := moved(unique.columns, sealed):
            table.append_constraint(UniqueConstraint(*names, name=unique.name))
    for index in entry.spec.indexes:
        if names := moved(index.columns, sealed):
            where = parse_condition(index.where).expression if index.where else None
            columns = [table.c[name] for name in names]
            Index(
                index.name,
                *columns,
                unique=index.unique,
                sqlite_where=where,
                postgresql_where=where,
            )


def moved(names: Sequence[str], sealed: SealedTable | None) -> tuple[str, ...]:
    """Return the columns of an index with searchable ones replaced; none if there are none."""
    if sealed is None or not sealed.columns.keys() & set(names):
        return ()
    return tuple(index_name(name) if name in sealed.columns else name for name in names)


def _nothing(_: object) -> None:
    return None


class HoldsSealed(ColumnElement[bool]):
    """That a column holds a sealed value, or nothing."""

    inherit_cache: bool | None = True
    type: TypeEngine[bool] = Boolean()

    def __init__(self, column: Column[Any]) -> None:
        self.column = column


class HoldsIndex(ColumnElement[bool]):
    """That a column holds a keyed hash, or nothing."""

    inherit_cache: bool | None = True
    type: TypeEngine[bool] = Boolean()

    def __init__(self, column: Column[Any]) -> None:
        self.column = column


@compiles(HoldsSealed)
def _holds_sealed(element: HoldsSealed, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.column, **options)
    # To SQLite, no text equals bytes.
    return (
        f"length({name}) >= {LEAST_BYTES} AND substr({name}, 1, {len(MAGIC)}) = x'{MAGIC.hex()}'"
    )


@compiles(HoldsSealed, "postgresql")
def _holds_sealed_on_postgresql(
    element: HoldsSealed, compiler: SQLCompiler, **options: Any
) -> str:
    name = compiler.process(element.column, **options)
    return (
        f"length({name}) >= {LEAST_BYTES} "
        f"AND substr({name}, 1, {len(MAGIC)}) = '\\x{MAGIC.hex()}'::bytea"
    )


@compiles(HoldsIndex)
def _holds_index(element: HoldsIndex, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.column, **options)
    return f"typeof({name}) IN ('null', 'blob') AND length({name}) = {INDEX_BYTES}"


@compiles(HoldsIndex, "postgresql")
def _holds_index_on_postgresql(element: HoldsIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"length({compiler.process(element.column, **options)}) = {INDEX_BYTES}"
