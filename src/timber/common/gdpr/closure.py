"""Rows that lead to rows of some kind, step by step and however far, also in circles, in SQL.

Of a row is known by a seed whether it is of the kind itself; else it is if one of its steps leads
to a row that is. Tables without circles become common table expressions, each once, so that a
statement grows with the number of tables and not with that of the ways; those in a circle become
one recursive expression, which ends at the least set of rows that is closed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    MetaData,
    Select,
    Table,
    and_,
    cast,
    exists,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    union,
    union_all,
)

from timber.common.modeling.ownership import Step

Seed = Callable[[FromClause, Table], ColumnElement[bool]]
"""The condition on rows of a table to be of the kind by themselves."""

_TAG = "tag"
"""In a circle of several tables, the column that says of which one a row is."""


@dataclass(frozen=True)
class Closure:
    """The steps between the tables of a database along which a kind spreads."""

    metadata: MetaData
    steps: Mapping[str, Sequence[Step]]
    """By the table from which they lead."""
    dialect: str

    def of(self, rows: FromClause, table: Table, seed: Seed) -> ColumnElement[bool]:
        """Return the condition on `rows`, of that table, to be of the kind."""
        return self.by(seed).of(rows, table)

    def by(self, seed: Seed) -> "Spreading":
        """Return what gives conditions that share their expressions, for one statement."""
        return Spreading(self, seed)

    def circle(self, name: str) -> tuple[str, ...]:
        """Return the tables in a circle with one, itself among them; none if it is in none."""
        return self._circles.get(name, ())

    @cached_property
    def _circles(self) -> Mapping[str, tuple[str, ...]]:
        reached = {name: self._reached(name) for name in self.steps}
        found = {
            name: tuple(sorted(one for one in there if name in reached.get(one, ())))
            for name, there in reached.items()
        }
        return {name: circle for name, circle in found.items() if circle}

    def handles(self, name: str) -> tuple[str, ...]:
        """Return the columns by which rows of a table are known to steps, and its key."""
        key = [column.key for column in self.metadata.tables[name].primary_key]
        into = (
            target
            for steps in self.steps.values()
            for step in steps
            if step.table == name
            for target in step.targets
        )
        return tuple(dict.fromkeys((*key, *into)))

    def _reached(self, name: str) -> frozenset[str]:
        found: set[str] = set()
        left = [name]
        while left:
            for step in self.steps.get(left.pop(), ()):
                if step.table not in found:
                    found.add(step.table)
                    left.append(step.table)
        return frozenset(found)


@dataclass
class Spreading:
    """Conditions of one kind, and the expressions that they use."""

    closure: Closure
    seed: Seed
    _known: dict[str, CTE] = field(default_factory=dict)

    def of(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        """Return the condition on `rows`, of that table, to be of the kind."""
        circle = self.closure.circle(table.key)
        if not circle:
            return self._straight(rows, table, frozenset())
        key = [column.key for column in table.primary_key]
        found = self._expression(table.key)
        wanted = select(*(self._handle(found, table.key, name) for name in key))
        if len(circle) > 1:
            wanted = wanted.where(found.c[_TAG] == _number(circle, table.key))
        here = [rows.c[name] for name in key]
        return (here[0] if len(here) == 1 else tuple_(*here)).in_(wanted)

    def _straight(
        self, rows: FromClause, table: Table, circle: frozenset[str]
    ) -> ColumnElement[bool]:
        """Return the condition to be of the kind, but for steps inside of a circle."""
        steps = self.closure.steps.get(table.key, ())
        out = (self._leads(rows, step) for step in steps if step.table not in circle)
        return or_(self.seed(rows, table), *out)

    def _leads(self, rows: FromClause, step: Step) -> ColumnElement[bool]:
        """Return the condition to lead, by a step, to a row of the kind."""
        target = self.closure.metadata.tables[step.table]
        if self.closure.steps.get(step.table):
            there: FromClause = self._expression(step.table)
            named = [self._handle(there, step.table, name) for name in step.targets]
            circle = self.closure.circle(step.table)
            several = len(circle) > 1
            theirs = there.c[_TAG] == _number(circle, step.table) if several else true()
        else:
            there = target.alias()
            named = [there.c[name] for name in step.targets]
            theirs = self.seed(there, target)
        if len(named) == 1:
            return rows.c[step.columns[0]].in_(select(named[0]).where(theirs))
        pairs = zip(step.columns, named, strict=True)
        same = (rows.c[here] == target for here, target in pairs)
        one: Select[Any] = select(literal_column("1")).select_from(there).where(*same, theirs)
        return exists(one.correlate(rows))

    # ------------------------------------------------------------------ expressions

    def _expression(self, name: str) -> CTE:
        """Return the rows of a table, or of its circle, that are of the kind, by their handles."""
        circle = self.closure.circle(name)
        known = self._known.get(name)
        if known is None:
            known = self._recursive(circle) if circle else self._plain(name)
            self._known.update(dict.fromkeys(circle or (name,), known))
        return known

    def _plain(self, name: str) -> CTE:
        rows = self.closure.metadata.tables[name].alias()
        table = self.closure.metadata.tables[name]
        shown = (rows.c[one].label(_label(name, one)) for one in self.closure.handles(name))
        return select(*shown).where(self._straight(rows, table, frozenset())).cte()

    def _recursive(self, circle: Sequence[str]) -> CTE:
        tables = self.closure.metadata.tables
        bases = []
        for name in circle:
            rows = tables[name].alias()
            straight = self._straight(rows, tables[name], frozenset(circle))
            bases.append(select(*self._shown(rows, name, circle)).where(straight))
        base: Select[Any] = bases[0]
        if len(bases) > 1:
            base = select(union_all(*bases).subquery())
        found = base.cte(recursive=True)
        further = list(self._further(found, circle))
        if len(further) == 1 or self.closure.dialect == "sqlite":
            return found.union(*further)
        # PostgreSQL lets a recursive expression name itself but once.
        step = union(*further).lateral()
        return found.union(select(step).select_from(found.join(step, true())))

    def _further(
        self, found: CTE, circle: Sequence[str]
    ) -> Iterator[Select[Any] | CompoundSelect[Any]]:
        """Yield the selections of rows from which a step leads to what is found so far."""
        several = len(circle) > 1
        inside = [
            (name, step)
            for name in circle
            for step in self.closure.steps[name]
            if step.table in circle
        ]
        apart = len(inside) > 1 and self.closure.dialect != "sqlite"
        for name, step in inside:
            rows = self.closure.metadata.tables[name].alias()
            same = (
                rows.c[here] == self._handle(found, step.table, target)
                for here, target in zip(step.columns, step.targets, strict=True)
            )
            of_table = (found.c[_TAG] == _number(circle, step.table),) if several else ()
            statement = select(*self._shown(rows, name, circle)).where(and_(*same, *of_table))
            if apart:
                yield statement.select_from(rows).correlate(found)
            else:
                yield statement.select_from(rows, found)

    def _shown(
        self, rows: FromClause, name: str, circle: Sequence[str]
    ) -> Iterator[ColumnElement[Any]]:
        """Yield the handles of rows, and nothing in the place of those of other tables."""
        if len(circle) > 1:
            yield literal_column(str(_number(circle, name))).label(_TAG)
        for one in circle:
            for handle in self.closure.handles(one):
                if one == name:
                    shown: ColumnElement[Any] = rows.c[handle]
                else:
                    column = self.closure.metadata.tables[one].c[handle]
                    shown = cast(null(), column.type)
                yield shown.label(_label(one, handle))

    @staticmethod
    def _handle(found: FromClause, name: str, column: str) -> ColumnElement[Any]:
        handle: ColumnElement[Any] = found.c[_label(name, column)]
        return handle


def _label(name: str, column: str) -> str:
    return f"{name}_{column}"


def _number(circle: Sequence[str], name: str) -> int:
    return list(circle).index(name)
