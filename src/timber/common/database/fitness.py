"""Whether a database can hold what the models ask for; what it lacks is told with its place."""

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Engine, text

from timber.common.documents import ProblemList
from timber.common.errors import DatabaseError, ModelFileError
from timber.common.modeling.catalogue import Catalogue, Mixin, Table
from timber.common.modeling.column_types import ColumnType
from timber.common.modeling.spec import ColumnSpec

_EXACT_DIGITS: Final = 15
"""How many digits of a `Numeric` survive on SQLite, which keeps it as a float."""

_NEEDS_PGVECTOR: Final = (
    "Vector needs the extension pgvector, which this database lacks: "
    "install it on the server, then let a superuser run CREATE EXTENSION vector"
)


def check_database(catalogue: Catalogue, engine: Engine, *, create: bool) -> None:
    """Check that the database has every type of the models; `create` may add an extension.

    Raises:
        ModelFileError: with every column that it cannot hold.
        DatabaseError: it cannot be reached.

    """
    problem = _sqlite_problem
    if engine.dialect.name == "postgresql":
        if not any(kind.name == "Vector" for kind in _types(catalogue)):
            return
        if _has_pgvector(engine, create=create):
            return
        problem = _pgvector_problem
    problems = ProblemList(ModelFileError)
    problems.extend(_problems(catalogue, problem))
    problems.raise_any()


def _types(catalogue: Catalogue) -> Iterator[ColumnType]:
    for table in catalogue.entries:
        for column in table.own_columns:
            if column.name not in table.encrypted:
                yield column.column_type


def _problems(
    catalogue: Catalogue, problem: Callable[[ColumnSpec], tuple[str, str] | None]
) -> Iterator[str]:
    entries: tuple[Mixin | Table, ...] = (*catalogue.mixin_entries, *catalogue.entries)
    for entry in entries:
        # What is sealed is bytes, of whatever type its values are.
        sealed = entry.encrypted if isinstance(entry, Table) else frozenset()
        for position, column in enumerate(entry.spec.columns):
            if column.name not in sealed and (found := problem(column)):
                key, message = found
                yield entry.problem("columns", position, key, message=message)


def _sqlite_problem(column: ColumnSpec) -> tuple[str, str] | None:
    kind = column.column_type
    if kind.name == "Array":
        return "type", "SQLite has no arrays: use JSON, or a table of its own"
    if kind.name == "Numeric" and kind.arguments[0] > _EXACT_DIGITS:
        return "type", f"SQLite keeps {_EXACT_DIGITS} digits of a Numeric: ask for fewer"
    if column.server_default == "uuid4":
        return "server_default", "SQLite makes no uuid4: write it as `default`"
    return None


def _pgvector_problem(column: ColumnSpec) -> tuple[str, str] | None:
    return ("type", _NEEDS_PGVECTOR) if column.column_type.name == "Vector" else None


def _has_pgvector(engine: Engine, *, create: bool) -> bool:
    known = text("SELECT count(*) FROM pg_extension WHERE extname = 'vector'")
    with engine.connect() as connection:
        if connection.execute(known).scalar():
            return True
    if not create:
        return False
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except DatabaseError:
        return False
    return True
