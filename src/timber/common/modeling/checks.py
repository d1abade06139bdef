"""What one file's form cannot show: that all the files together make sense."""

from collections.abc import Callable, Iterable, Iterator, Set as AbstractSet
from itertools import chain
from typing import Final

from timber.common.documents import ProblemList, closest
from timber.common.errors import ModelFileError
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.flag_checks import flag_problems
from timber.common.modeling.mixins import MIXIN_COLUMNS
from timber.common.modeling.relations import relation_problems
from timber.common.modeling.spec import ColumnSpec

_RESERVED: Final = frozenset({"metadata", "registry"})


def check(catalogue: Catalogue, *, backends: AbstractSet[str]) -> None:
    """Check all models against each other.

    `backends` names the flags (`encryption`, `caching`, `vector_search`, `gdpr`) that work here.

    Raises:
        ModelFileError: with every problem found.

    """
    problems = ProblemList(ModelFileError)
    problems.extend(_name_problems(catalogue))
    problems.extend(_old_table_name_problems(catalogue))
    for table in catalogue.entries:
        problems.extend(_column_problems(table))
        problems.extend(_old_column_name_problems(table))
        problems.extend(_foreign_key_problems(table, catalogue))
        problems.extend(_index_column_problems(table))
        problems.extend(flag_problems(table, backends))
    problems.extend(_index_name_problems(catalogue))
    problems.extend(relation_problems(catalogue))
    problems.raise_any()


def _name_problems(catalogue: Catalogue) -> Iterator[str]:
    models = (entry for entry in catalogue.entries if entry.model)
    yield from _twice(models, lambda entry: entry.model.name if entry.model else "", "name")
    yield from _twice(catalogue.entries, lambda entry: entry.name, "table_name")
    for entry in catalogue.entries:
        if entry.name.lower().startswith("sqlite_"):
            key = "table_name" if entry.model else "name"
            yield entry.problem(key, message="table names in sqlite_ belong to SQLite")


def _twice(entries: Iterable[Table], name: Callable[[Table], str], key: str) -> Iterator[str]:
    # Databases do not tell capitals apart in names, so neither does this.
    first: dict[str, Table] = {}
    for entry in entries:
        known = first.setdefault(name(entry).lower(), entry)
        if known is not entry:
            document = known.source.document
            place = document.at(document.mark(known.path))
            own_key = key if entry.model else "name"
            yield entry.problem(own_key, message=f"{name(entry)!r} is there already, at {place}")


def _column_problems(table: Table) -> Iterator[str]:
    if not table.primary_key:
        yield table.problem("columns", message=f"{table.name!r} has no primary key", of_key=True)
    mixins = table.model.mixins if table.model else ()
    seen = {name for mixin in mixins for name in MIXIN_COLUMNS[mixin]}
    relationships = table.model.relationships if table.model else ()
    named = chain(
        (("columns", position, one.name) for position, one in enumerate(table.spec.columns)),
        (("relationships", position, one.name) for position, one in enumerate(relationships)),
    )
    for kind, position, name in named:
        if name.lower() in seen:
            yield table.problem(kind, position, "name", message=f"{name!r} is there already")
        if name in _RESERVED or name.startswith("_sa_"):
            yield table.problem(kind, position, "name", message=f"the name {name!r} is reserved")
        seen.add(name.lower())


def _old_table_name_problems(catalogue: Catalogue) -> Iterator[str]:
    present = {name.lower() for name in catalogue.tables}
    for entry in catalogue.entries:
        if entry.spec.was and entry.spec.was.lower() in present:
            message = f"there is a table {entry.spec.was!r} still, so this cannot have been it"
            yield entry.problem("was", message=message)
        present |= {entry.spec.was.lower()} if entry.spec.was else set()


def _old_column_name_problems(table: Table) -> Iterator[str]:
    present = {name.lower() for name in table.columns}
    for position, column in enumerate(table.spec.columns):
        if column.was and column.was.lower() in present:
            message = f"there is a column {column.was!r} still, so this cannot have been it"
            yield table.problem("columns", position, "was", message=message)
        present |= {column.was.lower()} if column.was else set()


def _foreign_key_problems(table: Table, catalogue: Catalogue) -> Iterator[str]:
    for position, column in enumerate(table.spec.columns):
        if column.foreign_key is None:
            continue
        message = _foreign_key_problem(column, column.foreign_key, catalogue)
        if message:
            yield table.problem("columns", position, "foreign_key", message=message)


def _foreign_key_problem(column: ColumnSpec, written: str, catalogue: Catalogue) -> str | None:
    name, _, target_name = written.partition(".")
    table, target = catalogue.target(written)
    if table is None:
        return f"no table {name!r}{closest(name, catalogue.tables)}"
    if target is None:
        hint = closest(target_name, table.columns)
        return f"the table {name!r} has no column {target_name!r}{hint}"
    if not target.unique and table.primary_key != (target.name,):
        return f"{written} is not unique, so nothing can point to it"
    if column.column_type.name != target.column_type.name:
        return f"{written} is of type {target.type}, this column is of type {column.type}"
    return None


def _index_column_problems(table: Table) -> Iterator[str]:
    for position, index in enumerate(table.model.indexes if table.model else ()):
        for place, name in enumerate(index.columns):
            if name not in table.columns:
                hint = closest(name, table.columns)
                message = f"{table.name!r} has no column {name!r}{hint}"
                yield table.problem("indexes", position, "columns", place, message=message)
        if len(set(index.columns)) < len(index.columns):
            yield table.problem("indexes", position, "columns", message="a column is named twice")


def _index_name_problems(catalogue: Catalogue) -> Iterator[str]:
    taken = {name.lower() for name in catalogue.tables}
    taken |= {
        f"ix_{table.name}_{column.name}".lower()
        for table in catalogue.tables.values()
        for column in table.columns.values()
    }
    for table in catalogue.entries:
        for position, index in enumerate(table.model.indexes if table.model else ()):
            if index.name.lower() in taken:
                message = f"the name {index.name!r} is taken; choose another"
                yield table.problem("indexes", position, "name", message=message)
            taken.add(index.name.lower())
