"""Whom a row is about: the way along foreign keys from a row to a person."""

from collections.abc import Iterable, Iterator, Set as AbstractSet

from timber.common.documents import closest
from timber.common.modeling.catalogue import Catalogue, Table

PEOPLE = "users"
"""The table whose rows are persons in every Timber."""


def people(catalogue: Catalogue) -> frozenset[str]:
    """Return the tables whose rows are persons: `users`, and those that say `subject: true`."""
    said = (
        table.name
        for table in catalogue.models.values()
        if table.model
        and table.model.gdpr
        and table.model.gdpr.enabled
        and table.model.gdpr.subject
    )
    return frozenset((PEOPLE, *said))


def subject_path(table: Table, written: str | None, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the columns that lead from a row of `table` to a person's key.

    Each column but the last is a foreign key to the table where the next one is.
    The path is empty for a table of people itself. `written` is the path of the model
    file, `column.column`; without one, it is the shortest way to a table of people.

    Raises:
        ValueError: a part of `written` leads nowhere, or there is not one shortest way.

    """
    if written is not None:
        return _follow(table, written, catalogue)
    persons = people(catalogue)
    if table.name in persons:
        return ()
    ways = _shortest(table, catalogue, persons)
    if not ways:
        raise ValueError(
            f"no foreign keys lead from {table.name!r} to {_listed(persons)}: "
            "name the `user_id_field`"
        )
    if len(ways) > 1:
        listed = " and ".join(".".join(way) for way in ways)
        raise ValueError(
            f"{listed} lead to {_listed(persons)}: name one of them as `user_id_field`"
        )
    return ways[0]


def _listed(tables: Iterable[str]) -> str:
    return " or ".join(map(repr, sorted(tables)))


def subject_way(table: Table, catalogue: Catalogue) -> tuple[str, ...] | None:
    """Return the path from a model's rows to a person; None if they are about nobody.

    A row that may as well lead to nobody, such as one with a `reviewed_by`, is about a person
    only if its model says so by `gdpr`.

    Raises:
        ValueError: there are several, and the model file names none of them; or the one
            that it names leads nowhere.

    """
    written = table.model.gdpr.user_id_field if table.model and table.model.gdpr else None
    if written is None and not leads_to_persons(table, catalogue):
        return None
    path = subject_path(table, written, catalogue)
    gdpr = table.model.gdpr if table.model else None
    is_said = gdpr is not None and (gdpr.enabled or written is not None)
    return path if is_said or _is_mandatory(table, path, catalogue) else None


def _is_mandatory(table: Table, path: tuple[str, ...], catalogue: Catalogue) -> bool:
    for name in path:
        column = table.columns[name]
        if column.may_be_null:
            return False
        table = catalogue.tables.get((column.foreign_key or "").partition(".")[0], table)
    return True


def people_at(table: Table, path: tuple[str, ...], catalogue: Catalogue) -> str:
    """Return the table of persons to which a path leads; a column by habit leads to users."""
    for name in path:
        target = (table.columns[name].foreign_key or "").partition(".")[0]
        if target not in catalogue.tables:
            return PEOPLE
        table = catalogue.tables[target]
    return table.name


def leads_to_persons(table: Table, catalogue: Catalogue) -> bool:
    """Tell whether foreign keys lead from a table to one of persons, or it is one."""
    persons = people(catalogue)
    return table.name in persons or bool(_shortest(table, catalogue, persons))


def _follow(table: Table, written: str, catalogue: Catalogue) -> tuple[str, ...]:
    path = tuple(written.split("."))
    for position, name in enumerate(path):
        column = table.columns.get(name)
        if column is None:
            hint = closest(name, table.columns)
            raise ValueError(f"{table.name!r} has no column {name!r}{hint}")
        if position == len(path) - 1:
            break
        target = (column.foreign_key or "").partition(".")[0]
        if target not in catalogue.tables:
            raise ValueError(f"{table.name}.{name} is no foreign key, so no path goes on from it")
        table = catalogue.tables[target]
    return path


def _shortest(
    start: Table, catalogue: Catalogue, persons: AbstractSet[str]
) -> list[tuple[str, ...]]:
    seen = {start.name}
    reached: list[tuple[Table, tuple[str, ...]]] = [(start, ())]
    while reached:
        steps = [
            (target, (*path, column))
            for table, path in reached
            for column, target in _steps(table, catalogue)
        ]
        if found := [path for target, path in steps if target.name in persons]:
            return found
        following: dict[str, tuple[Table, tuple[str, ...]]] = {}
        for target, path in steps:
            if target.name not in seen:
                following.setdefault(target.name, (target, path))
        seen |= following.keys()
        reached = list(following.values())
    return []


def _steps(table: Table, catalogue: Catalogue) -> Iterator[tuple[str, Table]]:
    for key in table.foreign_keys:
        if len(key.columns) == 1 and key.table in catalogue.tables:
            yield key.columns[0], catalogue.tables[key.table]
