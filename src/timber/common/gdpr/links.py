"""The foreign keys of a database: what points to a table, and in which order rows can go."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKeyConstraint, MetaData, Table
from sqlalchemy.schema import sort_tables_and_constraints


@dataclass(frozen=True)
class Link:
    """A foreign key: the columns of one table that name columns of another."""

    table: Table
    columns: tuple[str, ...]
    target: str
    """The table to which it points."""
    targets: tuple[str, ...]
    on_update: str | None = None
    """What becomes of `columns` when those of the target change, as SQL has it."""
    on_delete: str | None = None

    @property
    def loose(self) -> tuple[str, ...]:
        """The columns that may be null: with one of them the row points to nothing."""
        return tuple(name for name in self.columns if self.table.c[name].nullable)


def links_into(metadata: MetaData) -> Mapping[str, Sequence[Link]]:
    """Return the foreign keys by the name of the table to which they point."""
    found: dict[str, list[Link]] = {}
    for table in metadata.tables.values():
        for key in sorted(table.foreign_key_constraints, key=_written):
            target = key.referred_table
            columns = tuple(one.key for one in key.columns)
            targets = tuple(one.column.key for one in key.elements)
            actions = (key.onupdate, key.ondelete)
            found.setdefault(target.key, []).append(
                Link(
                    table, columns, target.key, targets, *(one and one.upper() for one in actions)
                )
            )
    return found


def _written(key: ForeignKeyConstraint) -> str:
    return ",".join(key.column_keys)


def children_first(metadata: MetaData, names: Collection[str]) -> list[Table]:
    """Return tables so that, but for circles, each comes before those that it points to."""
    # Foreign keys that close a circle come in the end, without a table.
    found: Any = sort_tables_and_constraints(metadata.tables.values())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    ordered = [table for table, _ in found if table is not None]
    return [table for table in reversed(ordered) if table.key in names]
