"""Which tables and columns have a new name, and the database seen as if they had it already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Inspector, MetaData

Reflected: TypeAlias = dict[tuple[str | None, str], Any]

_FACETS: Final = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "check_constraints",
    "table_comment",
    "table_options",
)


@dataclass(frozen=True)
class Renames:
    """The names to change in one database."""

    tables: Mapping[str, str] = field(default_factory=dict)
    """From the old to the new name."""
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By the new name of the table: from the old to the new name."""

    def table(self, old: str) -> str:
        return self.tables.get(old, old)

    def column(self, table: str, old: str) -> str:
        """Return the new name of a column of a table, given by its new name."""
        return self.columns.get(table, {}).get(old, old)

    def old_table(self, new: str) -> str:
        return next((old for old, name in self.tables.items() if name == new), new)

    def old_column(self, table: str, new: str) -> str:
        columns = self.columns.get(table, {})
        return next((old for old, name in columns.items() if name == new), new)


def find_renames(inspector: Inspector, metadata: MetaData) -> Renames:
    """Return the renames that the models ask for and the database has not seen yet."""
    present = set(inspector.get_table_names())
    tables = {
        str(table.info["was"]): table.name
        for table in metadata.tables.values()
        if table.info.get("was") in present and table.name not in present
    }
    old_names = {new: old for old, new in tables.items()}
    asked = {
        table.name: {str(column.info["was"]): column.name for column in was}
        for table in metadata.tables.values()
        if (was := [column for column in table.columns if column.info.get("was")])
        and old_names.get(table.name, table.name) in present
    }
    columns: dict[str, dict[str, str]] = {}
    for table, names in asked.items():
        there = {one["name"] for one in inspector.get_columns(old_names.get(table, table))}
        due = {old: new for old, new in names.items() if old in there and new not in there}
        if due:
            columns[table] = due
    return Renames(tables, columns)


def show_renamed(inspector: Inspector, renames: Renames) -> Inspector:
    """Make the inspector show the database with the new names; it must be a fresh one.

    Alembic reads everything it compares through the inspector's cache,
    so nothing has to change in the database, and nothing is locked, while a step is planned.
    """
    for facet in _FACETS:
        reflect: Callable[[], Reflected] = getattr(inspector, f"get_multi_{facet}")
        try:
            found = reflect()
        except NotImplementedError:
            inspector.info_cache[f"alembic_{facet}"] = NotImplementedError
            continue
        inspector.info_cache[f"alembic_{facet}"] = {
            (schema, renames.table(table)): _renamed(facet, renames.table(table), entry, renames)
            for (schema, table), entry in found.items()
        }
    names = [renames.table(name) for name in inspector.get_table_names()]
    vars(inspector)["get_table_names"] = lambda **_schema: names
    return inspector


def _renamed(facet: str, table: str, entry: Any, renames: Renames) -> Any:
    """Return what was reflected of one table, in new names."""
    match facet:
        case "columns":
            return [_column(table, one, renames) for one in entry]
        case "pk_constraint":
            return entry and _constrained(table, entry, renames, "constrained_columns")
        case "foreign_keys":
            return [_foreign_key(table, one, renames) for one in entry]
        case "indexes" | "unique_constraints":
            return [_constrained(table, one, renames, "column_names") for one in entry]
        case _:
            return entry


def _column(table: str, column: dict[str, Any], renames: Renames) -> dict[str, Any]:
    name = renames.column(table, column["name"])
    if name == column["name"]:
        return column
    renamed = {**column, "name": name}
    if str(column.get("default")).startswith("nextval("):
        # The sequence of a serial column is no default that a model could state.
        renamed["default"] = None
    return renamed


def _constrained(table: str, entry: Any, renames: Renames, key: str) -> Any:
    names = [name and renames.column(table, name) for name in entry[key]]
    return {**entry, key: names}


def _foreign_key(table: str, entry: Any, renames: Renames) -> Any:
    target = renames.table(entry["referred_table"])
    return {
        **_constrained(table, entry, renames, "constrained_columns"),
        "referred_table": target,
        "referred_columns": [renames.column(target, name) for name in entry["referred_columns"]],
    }
