"""What a table has that SQLAlchemy's metadata cannot hold: triggers, virtual tables, extensions.

Each attachment is a handful of statements. They are made when `create_all` has made the tables,
go before `drop_all` drops them, and are looked for when a database is opened.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Dialect, MetaData, event, text

from timber.common.errors import DatabaseError

PREFIX: Final = "timber_"
"""What the names of Timber's own triggers begin with; one that nobody wants is dropped."""

_KEY: Final = "timber attachments"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Something that belongs to tables, on one kind of database."""

    name: str
    """How people are told of it."""
    table: str
    needs: tuple[str, ...] = ()
    """The other tables without which it cannot be."""
    objects: tuple[str, ...]
    """The triggers, tables, indexes and functions of it. The names of triggers, which begin with
    `PREFIX`, change whenever what they do does."""
    create: tuple[str, ...]
    drop: tuple[str, ...]
    once: tuple[str, ...] = ()
    """What is done when it was made, such as putting rows that are there already on a list."""
    extension: str | None = None
    """The extension of PostgreSQL without which there is none of it."""
    is_made_anew: bool = True
    """Whether what is there of it is dropped before; not where that holds what cannot be lost."""
    about: object = None
    """What it was made from, for those who make steps of migrations of it."""

    @property
    def making(self) -> tuple[str, ...]:
        """All that makes it, wherever some of it is there already."""
        return (*(self.drop if self.is_made_anew else ()), *self.create, *self.once)


Wanted: TypeAlias = Callable[[Dialect], Iterable[Attachment]]


@dataclass
class Attachments:
    """All that is attached to the tables of a metadata."""

    wanted: list[Wanted] = field(default_factory=list)
    after_removal: list[Callable[[str], Sequence[str]]] = field(default_factory=list)
    """Of a table whose triggers are wanted no more: what is to be done."""

    def of(self, dialect: Dialect) -> tuple[Attachment, ...]:
        """Return them as they are on a kind of database, in the order in which they are made."""
        return tuple(one for wanted in self.wanted for one in wanted(dialect))


def attachments_of(metadata: MetaData) -> Attachments:
    """Return what is attached to the tables of a metadata, to be added to."""
    known: Attachments | None = metadata.info.get(_KEY)
    if known is None:
        known = metadata.info[_KEY] = Attachments()
        event.listen(metadata, "after_create", _after_create)
        event.listen(metadata, "before_drop", _before_drop)
    return known


@dataclass(frozen=True)
class Catalog:
    """What a database has, by name."""

    names: frozenset[str]
    """Tables, indexes, functions and triggers."""
    triggers: frozenset[tuple[str, str]]
    """Those of Timber: the name and the table of each."""
    extensions: frozenset[str]


@dataclass(frozen=True)
class Differences:
    """What lies between the attachments that are wanted and those that are there."""

    missing: tuple[Attachment, ...]
    stale: tuple[tuple[str, str], ...]
    """Triggers, and their tables, that are wanted no more."""

    def lines(self) -> Iterator[str]:
        """Tell of each in a line."""
        yield from (f"{one.name} of {one.table} is missing" for one in self.missing)
        stale = {table for _, table in self.stale} - {one.table for one in self.missing}
        yield from (f"{table} has triggers of Timber that are out of date" for table in stale)


def read_catalog(connection: Connection) -> Catalog:
    """Look at what there is, in one or two queries."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT type, name, tbl_name FROM sqlite_master")).all()
        extensions: frozenset[str] = frozenset()
    else:
        rows = connection.execute(text(_POSTGRESQL_CATALOG)).all()
        extensions = frozenset(connection.scalars(text("SELECT extname FROM pg_extension")))
    return Catalog(
        names=frozenset(str(name) for _, name, _ in rows),
        triggers=frozenset(
            (str(name), str(table))
            for kind, name, table in rows
            if kind == "trigger" and str(name).startswith(PREFIX)
        ),
        extensions=extensions,
    )


_POSTGRESQL_CATALOG: Final = """
SELECT 'relation', relname, '' FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())
UNION ALL
SELECT 'function', proname, '' FROM pg_proc WHERE pronamespace = to_regnamespace(current_schema())
UNION ALL
SELECT 'trigger', tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = to_regnamespace(current_schema())
"""


def differences(
    connection: Connection,
    metadata: MetaData,
    *,
    coming: AbstractSet[str] = frozenset(),
    ours: AbstractSet[str] | None = None,
) -> Differences:
    """Compare what is wanted with what is there, as far as the tables for it are there.

    `coming` names tables that will be there; `ours`, those whose triggers are ours to judge.
    """
    wanted = attachments_of(metadata).of(connection.dialect)
    there = read_catalog(connection)
    names = {*there.names, *coming}
    ours = metadata.tables.keys() if ours is None else ours
    missing = []
    for one in wanted:
        has_extension = one.extension is None or one.extension in there.extensions
        if has_extension and names.issuperset((one.table, *one.needs)):
            if not there.names.issuperset(one.objects):
                missing.append(one)
            names.update(one.objects)
    known = {name for one in wanted for name in one.objects}
    stale = sorted(
        (name, table) for name, table in there.triggers if name not in known and table in ours
    )
    return Differences(tuple(missing), tuple(stale))


def complete(connection: Connection, metadata: MetaData) -> None:
    """Make what is missing, and drop the triggers that are wanted no more."""
    known = attachments_of(metadata)
    wanted = known.of(connection.dialect)
    for extension in sorted({one.extension for one in wanted if one.extension}):
        create_extension(connection, extension)
    found = differences(connection, metadata)
    for name, table in found.stale:
        _run(connection, drop_trigger(name, table, connection.dialect))
    for one in found.missing:
        attach(connection, one)
    wanting = {one.table for one in wanted}
    for table in sorted({table for _, table in found.stale} - wanting):
        for after in known.after_removal:
            _run(connection, after(table))


def attach(connection: Connection, attachment: Attachment) -> None:
    """Make one, anew where it is there in part."""
    _run(connection, attachment.making)


def detach(connection: Connection, attachment: Attachment) -> None:
    """Drop one."""
    _run(connection, attachment.drop)


def drop_trigger(name: str, table: str, dialect: Dialect) -> tuple[str, ...]:
    """Return what drops a trigger and, on PostgreSQL, the function of its name."""
    quote = dialect.identifier_preparer.quote
    if dialect.name == "sqlite":
        return (f"DROP TRIGGER IF EXISTS {quote(name)}",)
    return (
        f"DROP TRIGGER IF EXISTS {quote(name)} ON {quote(table)}",
        f"DROP FUNCTION IF EXISTS {quote(name)}()",
    )


def _run(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        is_postgresql = connection.dialect.name == "postgresql"
        # Its driver takes a sign of percentage for the beginning of a parameter.
        connection.exec_driver_sql(statement.replace("%", "%%") if is_postgresql else statement)


def create_extension(connection: Connection, extension: str) -> bool:
    """Create an extension where that is possible and allowed; return whether it is there."""
    if connection.dialect.name != "postgresql":
        return False
    known = text("SELECT installed_version FROM pg_available_extensions WHERE name = :name")
    found = connection.execute(known, {"name": extension}).first()
    if found is None or found.installed_version is not None:
        return found is not None
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    except DatabaseError:  # whoever needs it is told by what lacks it
        return False
    return True


def _after_create(metadata: MetaData, connection: Connection, **_: Any) -> None:
    complete(connection, metadata)


def _before_drop(metadata: MetaData, connection: Connection, tables: Any, **_: Any) -> None:
    going = {table.name for table in tables or ()}
    there = read_catalog(connection).names
    for one in reversed(attachments_of(metadata).of(connection.dialect)):
        if one.table in going and one.table in there:
            detach(connection, one)
