"""The constraints and indexes of columns that are made anew: they go before, and come after."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from typing import Any, Final, TypeAlias

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
)
from sqlalchemy import text
from sqlalchemy.sql.elements import conv

from timber.common.migrations.sealed_conditions import is_note

Cache: TypeAlias = dict[str, Any]
"""What an inspector has read."""
Entry: TypeAlias = Mapping[str, Any]

_COLUMNS: Final = {
    "unique_constraints": "column_names",
    "foreign_keys": "constrained_columns",
    "indexes": "column_names",
}


def rules_about(table: str, cache: Cache, columns: AbstractSet[str]) -> Iterator[MigrateOperation]:
    """Yield what drops the constraints and indexes of columns, and knows its way back.

    So does the condition that notes how the table is sealed.
    """
    for facet, drop in _DROPS.items():
        for entry in cache[f"alembic_{facet}"].get((None, table), ()):
            if _is_about(facet, entry, columns) and not entry.get("duplicates_constraint"):
                yield drop(table, entry)


def hide_rules(table: str, cache: Cache, columns: AbstractSet[str]) -> None:
    """Let the constraints and indexes of columns look as if they were gone."""
    for facet in _DROPS:
        found: dict[Any, Any] = cache[f"alembic_{facet}"]
        key = (None, table)
        if key in found:
            found[key] = [one for one in found[key] if not _is_about(facet, one, columns)]


def _is_about(facet: str, entry: Entry, columns: AbstractSet[str]) -> bool:
    if facet == "check_constraints":
        return _names(str(text(entry["sqltext"])), columns)
    return bool(columns & set(entry[_COLUMNS[facet]]))


def _names(condition: str, columns: Iterable[str]) -> bool:
    if is_note(condition):
        return True
    bare = re.sub(r"'(?:[^']|'')*'", "", condition)
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", bare) for name in columns)


def _check(table: str, entry: Entry) -> MigrateOperation:
    name = conv(entry["name"])
    back = CreateCheckConstraintOp(name, table, entry["sqltext"])
    return DropConstraintOp(name, table, type_="check", _reverse=back)


def _unique(table: str, entry: Entry) -> MigrateOperation:
    name = conv(entry["name"])
    back = CreateUniqueConstraintOp(name, table, entry["column_names"])
    return DropConstraintOp(name, table, type_="unique", _reverse=back)


def _foreign_key(table: str, entry: Entry) -> MigrateOperation:
    name = conv(entry["name"])
    back = CreateForeignKeyOp(
        name,
        table,
        entry["referred_table"],
        entry["constrained_columns"],
        entry["referred_columns"],
        **entry.get("options", {}),
    )
    return DropConstraintOp(name, table, type_="foreignkey", _reverse=back)


def _index(table: str, entry: Entry) -> MigrateOperation:
    name = conv(entry["name"])
    conditions = [
        value
        for option, value in entry.get("dialect_options", {}).items()
        if option.endswith("_where") and value is not None
    ]
    where: dict[str, Any] = {
        f"{dialect}_where": text(str(value))
        for value in conditions
        for dialect in ("sqlite", "postgresql")
    }
    unique = bool(entry["unique"])
    back = CreateIndexOp(name, table, entry["column_names"], unique=unique, **where)
    # Alembic takes only the columns from the way back, and the rest from here.
    return DropIndexOp(name, table, unique=unique, _reverse=back, **where)


_DROPS: Final = {
    "check_constraints": _check,
    "unique_constraints": _unique,
    "foreign_keys": _foreign_key,
    "indexes": _index,
}
