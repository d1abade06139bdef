"""Rows under a legal hold: an erasure leaves them as they are, and says so.

Held are the rows of tables that `timber retention hold` names, those whose own column says so, and
of tables without the flag `gdpr` those that go with a held row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    Table,
    false,
    true,
)

from timber.common.gdpr.closure import Closure
from timber.common.modeling.ownership import Step
from timber.common.retention.tables import read_holds


@dataclass(frozen=True, kw_only=True)
class Holds:
    """Where holds can be, by the models."""

    metadata: MetaData
    dialect: str
    columns: Mapping[str, str] = field(default_factory=dict)
    """By table the column that is true where a row is held."""
    following: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    """Of tables without the flag, the steps to the rows with which theirs go, and stay."""

    def read(self, connection: Connection, *, keeping: bool = False) -> "Held":
        """Return what is held now; with `keeping`, no table comes to be held until the end."""
        return Held(self, read_holds(connection, keeping=keeping))


@dataclass(frozen=True)
class Held:
    """What is held."""

    holds: Holds
    tables: Mapping[str, str]
    """Those that are held as a whole, and why."""

    def reason(self, table: str) -> str:
        """Return why rows of a table are held."""
        if table in self.tables:
            return self.tables[table]
        column = self.holds.columns.get(table)
        return f"legal hold: {table}.{column}" if column else "legal hold of what they belong to"

    def condition(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        """Return the condition on `rows`, of that table, to be held."""
        if not self.can(table.key):
            return false()
        steps = {
            name: tuple(step for step in some if self.can(step.table))
            for name, some in self.holds.following.items()
        }
        closure = Closure(self.holds.metadata, steps, self.holds.dialect)
        return closure.of(rows, table, self._by_itself)

    def can(self, table: str) -> bool:
        """Tell whether a row of a table can be held."""
        seen, left = {table}, [table]
        while left:
            name = left.pop()
            if name in self.tables or name in self.holds.columns:
                return True
            further = {step.table for step in self.holds.following.get(name, ())} - seen
            seen |= further
            left += further
        return False

    def _by_itself(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        if table.key in self.tables:
            return true()
        column = self.holds.columns.get(table.key)
        return false() if column is None else rows.c[column].is_(True)
