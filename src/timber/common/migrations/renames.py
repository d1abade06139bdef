"""Which tables and columns have a new name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Inspector, MetaData


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
