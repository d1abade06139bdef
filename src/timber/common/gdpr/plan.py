"""What an erasure would do, counted before anything is done."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from timber.common.gdpr.closure import Closure, Spreading
from timber.common.gdpr.holds import Held
from timber.common.gdpr.links import Link
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import Person, equal
from timber.common.modeling.ownership import Ownership, Step, Way


@dataclass(frozen=True, kw_only=True)
class PlannedTable:
    """What would become of the rows of one table."""

    table: str
    action: str
    """`delete`, `anonymise`, `retain`, `hold` for rows under a legal hold, or `unlink` for rows
    that only mention the person."""
    rows: int
    emptied: int = 0
    """How many of those to delete would be emptied instead, for what stays needs them."""
    paths: tuple[str, ...]
    """By which columns they were found."""
    columns: tuple[str, ...] = ()
    """What of them would be anonymised, or what of those retained is personal."""
    reason: str | None = None
    """Why they are retained, or held."""


@dataclass(frozen=True, kw_only=True)
class ErasurePlan:
    """What an erasure would do now; nothing was changed."""

    tables: tuple[PlannedTable, ...]
    texts: int
    """How many pieces of texts, with their vectors, would go."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @property
    def rows(self) -> int:
        """How many rows would be touched, or are retained."""
        return sum(one.rows for one in self.tables)


def plan_tables(connection: Connection, schema: Schema, person: Person) -> Iterator[PlannedTable]:
    """Count, table by table, what would become of the rows about a person."""
    held = schema.holds.read(connection)
    prospect = _Prospect(schema, person, held)
    for table in schema.tables:
        owner = schema.owner(table)
        ways = owner.ways_to(person.table) if owner else ()
        if owner is None or not ways:
            continue
        theirs = prospect.is_theirs(table, table)
        kept = _held(connection, table, ways, prospect)
        if kept is not None and kept.rows:
            yield kept
            theirs = and_(theirs, ~held.condition(table, table))
        rows = _count(connection, table, theirs)
        if rows:
            yield _planned(connection, table, owner, ways, rows, prospect)
    for links in schema.links.values():
        for link in links:
            found = _mentions(connection, link, prospect)
            if found is not None:
                yield found


def _held(
    connection: Connection, table: Table, ways: tuple[Way, ...], prospect: "_Prospect"
) -> PlannedTable | None:
    if not prospect.held.can(table.key):
        return None
    stays = and_(prospect.is_theirs(table, table), prospect.held.condition(table, table))
    return PlannedTable(
        table=table.key,
        action="hold",
        rows=_count(connection, table, stays),
        paths=tuple(map(str, ways)),
        reason=prospect.held.reason(table.key),
    )


def _planned(
    connection: Connection,
    table: Table,
    owner: Ownership,
    ways: tuple[Way, ...],
    rows: int,
    prospect: "_Prospect",
) -> PlannedTable:
    emptied = 0
    if owner.on_erase == "delete" and prospect.schema.links.get(table.key):
        stuck = and_(
            prospect.is_theirs(table, table),
            ~prospect.held.condition(table, table),
            prospect.is_needed(table, table),
        )
        emptied = _count(connection, table, stuck)
    return PlannedTable(
        table=table.key,
        action=owner.on_erase,
        rows=rows,
        emptied=emptied,
        paths=tuple(map(str, ways)),
        columns=() if owner.on_erase == "delete" else owner.personal,
        reason=owner.reason,
    )


def _mentions(connection: Connection, link: Link, prospect: "_Prospect") -> PlannedTable | None:
    target = next((one for one in prospect.schema.tables if _is_target(prospect, link, one)), None)
    if target is None or not link.loose:
        return None
    owner = prospect.schema.owner(target)
    if owner is None or owner.on_erase != "delete" or not owner.ways_to(prospect.person.table):
        return None
    there = target.alias()
    points = equal(
        [link.table.c[name] for name in link.columns], [there.c[name] for name in link.targets]
    )
    condition = and_(
        select(literal(1))
        .select_from(there)
        .where(
            points,
            prospect.is_theirs(there, target),
            ~prospect.held.condition(there, target),
        )
        .correlate(link.table)
        .exists(),
        ~prospect.leaves_it_alone(link.table, link.table),
        ~prospect.held.condition(link.table, link.table),
    )
    rows = _count(connection, link.table, condition)
    if not rows:
        return None
    return PlannedTable(
        table=link.table.key,
        action="unlink",
        rows=rows,
        paths=("+".join(link.columns),),
        columns=link.loose,
    )


def _is_target(prospect: "_Prospect", link: Link, table: Table) -> bool:
    return any(one is link for one in prospect.schema.links.get(table.key, ()))


def _count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(table).where(condition)
    return int(connection.scalar(statement) or 0)


@dataclass(frozen=True)
class _Prospect:
    """Conditions on rows before an erasure."""

    schema: Schema
    person: Person
    held: Held

    def is_theirs(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        return self._theirs.of(rows, table)

    def leaves_it_alone(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        """Return the condition to be the person's and to go, or to be retained, link and all."""
        owner = self.schema.owner(table)
        if owner is None or owner.on_erase == "anonymise":
            return false()
        return self.is_theirs(rows, table)

    def is_needed(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        """Return the condition that something which stays must point to a row.

        What is needed stays itself, so what it must point to is needed, too, and so on.
        """
        return self._needs.of(rows, table, self._is_needed_by_others)

    @cached_property
    def _theirs(self) -> Spreading:
        # Shared, for statements ask of many tables whose their rows are.
        return self.schema.belonging.by(self.person)

    @cached_property
    def _needs(self) -> Closure:
        steps = {
            name: tuple(
                Step(link.targets, link.table.key, link.columns)
                for link in links
                if not link.loose and self._goes(link.table)
            )
            for name, links in self.schema.links.items()
        }
        belonging = self.schema.belonging
        return Closure(belonging.metadata, steps, belonging.dialect)

    def _goes(self, table: Table) -> bool:
        """Tell whether rows of a table go if they are the person's and nobody needs them."""
        owner = self.schema.owner(table)
        return (
            owner is not None
            and owner.on_erase == "delete"
            and bool(owner.ways_to(self.person.table))
        )

    def _is_needed_by_others(self, rows: FromClause, table: Table) -> ColumnElement[bool]:
        if not self._goes(table):
            return false()
        reasons = []
        for link in self.schema.links.get(table.key, ()):
            there = link.table.alias()
            points = equal(
                [there.c[name] for name in link.columns], [rows.c[name] for name in link.targets]
            )
            stays = or_(self._stays(there, link), self.held.condition(there, link.table))
            found = select(literal(1)).select_from(there).where(points, stays)
            reasons.append(found.correlate(rows).exists())
        return and_(self.is_theirs(rows, table), or_(false(), *reasons))

    def _stays(self, there: FromClause, link: Link) -> ColumnElement[bool]:
        """Return the condition on a row that points somewhere to go on doing so by itself."""
        owner = self.schema.owner(link.table)
        theirs = self.is_theirs(there, link.table)
        if owner is not None and owner.on_erase == "retain":
            return theirs if link.loose else true()
        if link.loose:
            return false()
        return ~theirs if self._goes(link.table) else true()
