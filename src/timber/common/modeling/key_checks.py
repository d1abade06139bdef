"""Checks of foreign keys: each points to something that it can point to."""

from collections.abc import Iterator

from timber.common.documents import closest
from timber.common.modeling.catalogue import Catalogue, ForeignKey, Mixin, Table
from timber.common.modeling.spec import ColumnSpec


def key_problems(catalogue: Catalogue) -> Iterator[str]:
    """Check the foreign keys of every table, and of every mixin once."""
    written = [mixin for mixin in catalogue.mixin_entries if not mixin.source.is_builtin]
    entries: tuple[Table | Mixin, ...] = (*written, *catalogue.entries)
    for entry in entries:
        for position, column in enumerate(entry.spec.columns):
            message = _single_problem(column, catalogue)
            if message:
                yield entry.problem("columns", position, "foreign_key", message=message)
    for table in catalogue.entries:
        yield from _builtin_mixin_problems(table, catalogue)
        for key in table.foreign_keys:
            if key.path[0] == "foreign_keys":
                yield from _composite_problems(table, key, catalogue)


def _builtin_mixin_problems(table: Table, catalogue: Catalogue) -> Iterator[str]:
    """Check what Timber's own mixins point to, which a file may have replaced."""
    for position, name in enumerate(table.model.mixins if table.model else ()):
        mixin = catalogue.mixins.get(name)
        for column in mixin.spec.columns if mixin and mixin.source.is_builtin else ():
            message = _single_problem(column, catalogue)
            if message:
                yield table.problem("mixins", position, message=f"{name}: {message}")


def _single_problem(column: ColumnSpec, catalogue: Catalogue) -> str | None:
    if column.foreign_key is None:
        return None
    name, _, target_name = column.foreign_key.partition(".")
    table = catalogue.tables.get(name)
    if table is None:
        return f"no table {name!r}{closest(name, catalogue.tables)}"
    target = table.columns.get(target_name)
    if target is None:
        hint = closest(target_name, table.columns)
        return f"the table {name!r} has no column {target_name!r}{hint}"
    if frozenset((target_name,)) not in table.uniques:
        return f"{column.foreign_key} is not unique, so nothing can point to it"
    return _type_problem(column, target, column.foreign_key)


def _type_problem(column: ColumnSpec, target: ColumnSpec, written: str) -> str | None:
    own, other = column.column_type, target.column_type
    if own.family != other.family:
        return f"{written} is of type {target.type}, this column is of type {column.type}"
    if own.length is not None and (other.length is None or own.length < other.length):
        return f"{written} is of type {target.type}, of which {column.type} holds only a part"
    return None


def _composite_problems(table: Table, key: ForeignKey, catalogue: Catalogue) -> Iterator[str]:
    target = catalogue.tables.get(key.table)
    if target is None:
        hint = closest(key.table, catalogue.tables)
        yield table.problem(*key.path, "references", message=f"no table {key.table!r}{hint}")
        return
    known = True
    for place, (name, other) in enumerate(zip(key.columns, key.targets, strict=True)):
        column, aim = table.columns.get(name), target.columns.get(other)
        if column is None:
            known = False
            message = f"{table.name!r} has no column {name!r}{closest(name, table.columns)}"
            yield table.problem(*key.path, "columns", place, message=message)
        elif aim is None:
            known = False
            hint = closest(other, target.columns)
            message = f"the table {key.table!r} has no column {other!r}{hint}"
            yield table.problem(*key.path, "references", place, message=message)
        elif message := _pair_problem(key, column, aim):
            yield table.problem(*key.path, "references", place, message=message)
    if known and frozenset(key.targets) not in target.uniques:
        together = ", ".join(key.targets)
        message = f"{together} of {key.table!r} are not unique, so nothing can point to them"
        yield table.problem(*key.path, "references", message=message)
    if len(set(key.columns)) < len(key.columns):
        yield table.problem(*key.path, "columns", message="a column is named twice")


def _pair_problem(key: ForeignKey, column: ColumnSpec, aim: ColumnSpec) -> str:
    if "set null" in {key.on_delete, key.on_update} and not column.may_be_null:
        return f"`set null` needs columns that may be null, and {column.name!r} may not"
    return _type_problem(column, aim, f"{key.table}.{aim.name}") or ""
