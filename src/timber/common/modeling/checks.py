"""What one file's form cannot show: that all the files together make sense."""

from collections.abc import Callable, Iterable, Iterator, Set as AbstractSet
from itertools import chain
from typing import Final, TypeVar

from timber.common.documents import ProblemList, closest
from timber.common.errors import ModelFileError
from timber.common.modeling.catalogue import Catalogue, Mixin, Table
from timber.common.modeling.flag_checks import flag_problems
from timber.common.modeling.gdpr_checks import gdpr_problems
from timber.common.modeling.key_checks import key_problems
from timber.common.modeling.mixins import MIXIN_COLUMNS, MIXINS
from timber.common.modeling.relation_checks import relation_problems
from timber.common.modeling.rule_checks import rule_name_problems, rule_problems
from timber.common.modeling.vector_checks import source_type_problems

_RESERVED: Final = frozenset({"metadata", "registry"})

Entry = TypeVar("Entry", Table, Mixin)


def check(catalogue: Catalogue, *, backends: AbstractSet[str]) -> None:
    """Check all models against each other.

    `backends` names the flags (`encryption`, `caching`, …) that work here.

    Raises:
        ModelFileError: with every problem found.

    """
    problems = ProblemList(ModelFileError)
    problems.extend(_name_problems(catalogue))
    problems.extend(_old_table_name_problems(catalogue))
    for mixin in catalogue.mixin_entries:
        problems.extend(_mixin_problems(mixin))
    for table in catalogue.entries:
        problems.extend(_mixin_name_problems(table, catalogue))
        problems.extend(_column_problems(table))
        problems.extend(_old_column_name_problems(table))
        problems.extend(rule_problems(table))
        problems.extend(flag_problems(table, catalogue, backends))
    problems.extend(source_type_problems(catalogue.entries))
    problems.extend(gdpr_problems(catalogue))
    problems.extend(key_problems(catalogue))
    problems.extend(rule_name_problems(catalogue))
    problems.extend(relation_problems(catalogue))
    problems.raise_any()


def _name_problems(catalogue: Catalogue) -> Iterator[str]:
    models = [entry for entry in catalogue.entries if entry.model]
    yield from _twice(models, lambda entry: entry.model.name if entry.model else "", "name")
    yield from _twice(catalogue.entries, lambda entry: entry.name, "table_name")
    of_sessions = [entry for entry in models if entry.model and entry.model.session_type]
    yield from _twice(of_sessions, _session_type, "session_type")
    yield from _twice(catalogue.mixin_entries, lambda entry: entry.name, "name")
    for entry in catalogue.entries:
        if entry.name.lower().startswith("sqlite_"):
            key = "table_name" if entry.model else "name"
            yield entry.problem(key, message="table names in sqlite_ belong to SQLite")


def _session_type(entry: Table) -> str:
    return (entry.model and entry.model.session_type) or ""


def _twice(entries: Iterable[Entry], name: Callable[[Entry], str], key: str) -> Iterator[str]:
    # Databases do not tell capitals apart in names, so neither does this.
    first: dict[str, Entry] = {}
    for entry in entries:
        known = first.setdefault(name(entry).lower(), entry)
        if known is not entry:
            document = known.source.document
            place = document.at(document.mark(known.path))
            own_key = key if entry.path[0] == "models" else "name"
            yield entry.problem(own_key, message=f"{name(entry)!r} is there already, at {place}")


def _mixin_problems(mixin: Mixin) -> Iterator[str]:
    if mixin.name in MIXINS:
        yield mixin.problem("name", message=f"{mixin.name!r} is a mixin of Timber's own")
    seen: set[str] = set()
    for position, column in enumerate(mixin.spec.columns):
        yield from _column_name_problems(mixin, "columns", position, column.name, seen)
        if column.primary_key:
            where = ("columns", position, "primary_key")
            yield mixin.problem(*where, message="a mixin adds no primary key")


def _mixin_name_problems(table: Table, catalogue: Catalogue) -> Iterator[str]:
    for position, name in enumerate(table.model.mixins if table.model else ()):
        if name not in MIXINS and name not in catalogue.mixins:
            hint = closest(name, catalogue.mixin_names)
            yield table.problem("mixins", position, message=f"no mixin {name!r}{hint}")


def _column_problems(table: Table) -> Iterator[str]:
    if not table.primary_key:
        yield table.problem("columns", message=f"{table.name!r} has no primary key", of_key=True)
    seen = {name for mixin in table.mixin_names for name in MIXIN_COLUMNS.get(mixin, ())}
    yield from _mixin_clashes(table, seen)
    relationships = table.model.relationships if table.model else ()
    named = chain(
        (("columns", position, one.name) for position, one in enumerate(table.spec.columns)),
        (("relationships", position, one.name) for position, one in enumerate(relationships)),
    )
    for kind, position, name in named:
        yield from _column_name_problems(table, kind, position, name, seen)


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


def _mixin_clashes(table: Table, seen: set[str]) -> Iterator[str]:
    for position, name in enumerate(table.model.mixins if table.model else ()):
        mixin = table.mixins.get(name)
        if mixin is None or name in table.mixin_names[:position]:
            continue
        for column in mixin.spec.columns:
            if column.name.lower() in seen:
                message = f"{name} adds the column {column.name!r}, which is there already"
                yield table.problem("mixins", position, message=message)
            seen.add(column.name.lower())


def _column_name_problems(
    entry: Table | Mixin, kind: str, position: int, name: str, seen: set[str]
) -> Iterator[str]:
    if name.lower() in seen:
        yield entry.problem(kind, position, "name", message=f"{name!r} is there already")
    if name in _RESERVED or name.startswith("_sa_"):
        yield entry.problem(kind, position, "name", message=f"the name {name!r} is reserved")
    seen.add(name.lower())
