"""Rows that others need: their foreign keys say so, or a legal hold on what would go with them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, MetaData, Table, and_, exists, false, or_, true

from timber.common.retention.rules import RetentionRule

_LET_GO: Final = frozenset({"SET NULL", "SET DEFAULT"})


class Obstacles:
    """What stands in the way of deleting rows, by the foreign keys of all tables."""

    def __init__(
        self,
        metadata: MetaData,
        rules: Mapping[str, RetentionRule],
        *,
        holds: frozenset[str],
    ) -> None:
        self._rules = rules
        self._holds = holds
        self._pointing: dict[str, list[Any]] = {}
        for table in metadata.tables.values():
            for key in table.foreign_key_constraints:
                self._pointing.setdefault(key.referred_table.name, []).append(key)

    def of(self, table: Table) -> ColumnElement[bool]:
        """Return the condition that a row of the table cannot go, for others need it."""
        return or_(false(), *self._obstacles(table, frozenset({table.name}), table))

    def _obstacles(
        self, table: Table, seen: frozenset[str], row: Any
    ) -> Iterator[ColumnElement[bool]]:
        for key in self._pointing.get(table.name, ()):
            action = (key.ondelete or "").upper()
            if action in _LET_GO:
                continue
            other = key.table.alias(f"needs_{len(seen)}_{key.table.name}")
            points = and_(
                *(
                    other.c[element.parent.name] == row.c[element.column.name]
                    for element in key.elements
                )
            )
            if action != "CASCADE":
                yield exists().where(points)
            elif key.table.name in seen:
                if self._can_stay(key.table.name, frozenset()):
                    # A circle, of which no one statement sees the end: it waits until what
                    # would go along has gone by itself.
                    yield exists().where(points, ~_is_same(other, row, key.table, table))
            elif (stays := self._stays(key.table, seen, other)) is not None:
                yield exists().where(points, stays)

    def _stays(self, table: Table, seen: frozenset[str], row: Any) -> ColumnElement[bool] | None:
        """Return when a row that would go with another must stay; None: never."""
        if table.name in self._holds:
            return true()
        found = []
        rule = self._rules.get(table.name)
        if rule is not None and rule.legal_hold is not None:
            found.append(row.c[rule.legal_hold.name].is_(True))
        found += self._obstacles(table, seen | {table.name}, row)
        return or_(*found) if found else None

    def _can_stay(self, name: str, seen: frozenset[str]) -> bool:
        """Tell whether anything that goes along with rows of a table might have to stay."""
        rule = self._rules.get(name)
        if name in self._holds or (rule is not None and rule.legal_hold is not None):
            return True
        for key in self._pointing.get(name, ()):
            action = (key.ondelete or "").upper()
            if action in _LET_GO:
                continue
            if action != "CASCADE":
                return True
            if key.table.name not in seen and self._can_stay(key.table.name, seen | {name}):
                return True
        return False


def _is_same(some: Any, other: Any, table: Table, pointed: Table) -> ColumnElement[bool]:
    if table is not pointed:
        return false()
    return and_(*(some.c[one.name] == other.c[one.name] for one in table.primary_key.columns))
