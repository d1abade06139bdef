"""Checks of what a table asks of its rows: conditions, uniqueness and indexes."""

from collections.abc import Iterator

from timber.common.documents import Path, closest
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.conditions import parse_condition


def rule_problems(table: Table) -> Iterator[str]:
    """Check that conditions, unique sets and indexes of a table speak of its columns."""
    for path, names in _column_lists(table):
        for place, name in enumerate(names):
            if name not in table.columns:
                message = f"{table.name!r} has no column {name!r}{closest(name, table.columns)}"
                yield table.problem(*path, place, message=message)
        if len(set(names)) < len(names):
            yield table.problem(*path, message="a column is named twice")
    for path, condition in _conditions(table):
        problem = parse_condition(condition).problem(table.families)
        if problem:
            yield table.problem(*path, message=problem)
    yield from _mixin_problems(table)


def _mixin_problems(table: Table) -> Iterator[str]:
    for mixin in filter(None, map(table.mixins.get, table.mixin_names)):
        for position, column in enumerate(mixin.spec.columns):
            condition = parse_condition(column.check) if column.check else None
            if condition and (message := condition.problem(table.families)):
                yield mixin.problem("columns", position, "check", message=message)


def _column_lists(table: Table) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for position, index in enumerate(table.spec.indexes):
        yield ("indexes", position, "columns"), index.columns
    for position, unique in enumerate(table.spec.unique):
        yield ("unique", position, "columns"), unique.columns


def _conditions(table: Table) -> Iterator[tuple[Path, str]]:
    for position, column in enumerate(table.spec.columns):
        if column.check:
            yield ("columns", position, "check"), column.check
    for position, check in enumerate(table.spec.checks):
        yield ("checks", position, "condition"), check.condition
    for position, index in enumerate(table.spec.indexes):
        if index.where:
            yield ("indexes", position, "where"), index.where


def rule_name_problems(catalogue: Catalogue) -> Iterator[str]:
    """Check that no two indexes, and no two checks of a table, share a name."""
    taken = {name.lower() for name in catalogue.tables}
    taken |= {
        f"ix_{table.name}_{column.name}".lower()
        for table in catalogue.tables.values()
        for column in table.own_columns
    }
    for table in catalogue.entries:
        for path, name in _names(table):
            if name.lower() in taken:
                message = f"the name {name!r} is taken; choose another"
                yield table.problem(*path, "name", message=message)
            taken.add(name.lower())
        yield from _check_name_problems(table)


def _names(table: Table) -> Iterator[tuple[Path, str]]:
    for position, index in enumerate(table.spec.indexes):
        yield ("indexes", position), index.name
    for position, unique in enumerate(table.spec.unique):
        if unique.name:
            yield ("unique", position), unique.name


def _check_name_problems(table: Table) -> Iterator[str]:
    taken = {column.name.lower() for column in table.own_columns if column.check}
    taken |= {f"{one.name}_values".lower() for one in table.own_columns if one.column_type.members}
    for position, check in enumerate(table.spec.checks):
        if check.name.lower() in taken:
            message = f"the name {check.name!r} is taken; choose another"
            yield table.problem("checks", position, "name", message=message)
        taken.add(check.name.lower())
