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
    exists,
    false,
    literal,
    or_,
    select,
    true,
)

from timber.common.gdpr.subjects import equal
from timber.common.modeling.ownership import Step
from timber.common.retention.tables import read_holds


@dataclass(frozen=True, kw_only=True)
class Holds:
    """Where holds can be, by the models."""

    metadata: MetaData
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
        return self._condition(rows, table, frozenset()) if self.can(table.key) else false()

    def can(self, table: str, seen: frozenset[str] = frozenset()) -> bool:
        """Tell whether a row of a table can be held."""
        if table in self.tables or table in self.holds.columns:
            return True
        steps = self.holds.following.get(table, ())
        return any(
            self.can(step.table, seen | {table}) for step in steps if step.table not in seen
        )

    def _condition(
        self, rows: FromClause, table: Table, seen: frozenset[str]
    ) -> ColumnElement[bool]:
        if table.key in self.tables:
            return true()
        found: list[ColumnElement[bool]] = []
        if table.key in self.holds.columns:
            found.append(rows.c[self.holds.columns[table.key]].is_(True))
        seen |= {table.key}
        for step in self.holds.following.get(table.key, ()):
            if step.table in seen or not self.can(step.table):
                continue
            target = self.holds.metadata.tables[step.table]
            there = target.alias()
            points = equal(
                [rows.c[name] for name in step.columns], [there.c[name] for name in step.targets]
            )
            found.append(
                exists(
                    select(literal(1))
                    .select_from(there)
                    .where(points, self._condition(there, target, seen))
                    .correlate(rows)
                )
            )
        return or_(false(), *found)
