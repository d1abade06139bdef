"""Rows that need each other in circles, in one table or over several: all go, or all stay."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Select,
    Table,
    delete,
    func,
    literal,
    or_,
    select,
)

from timber.common.gdpr.links import Link
from timber.common.gdpr.row_list import BATCH, Fate, Listed, RowList, written
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import among, equal, keys_of

Key = tuple[Any, ...]
Going = Mapping[str, Sequence[Key]]
"""The keys of rows that are to go together, by table."""

LARGEST_RING: Final = 10_000
"""How many rows can go that need each other in a circle; they go by one statement."""
_STEPS: Final = 4
"""How far along links rows are looked for that are not next on the list of their table."""


def circles(schema: Schema) -> list[tuple[Table, ...]]:
    """Return the tables that point to themselves, or to each other in a circle, strictly.

    What points there and may be null is set to null before, and closes no circle.
    """
    goes = {
        one.key: one
        for one in schema.tables
        if (owner := schema.owner(one)) is not None and owner.on_erase == "delete"
    }
    into = {
        name: {
            link.table.key
            for link in schema.links.get(name, ())
            if not link.loose and link.table.key in goes
        }
        for name in goes
    }
    reached = {name: _reached(name, into) for name in goes}
    found = {
        tuple(one for one in goes if one in there and name in reached[one])
        for name, there in reached.items()
        if name in there
    }
    return [tuple(goes[name] for name in circle) for circle in sorted(found)]


def _reached(name: str, into: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [name]
    while left:
        further = into[left.pop()] - found
        found |= further
        left += further
    return found


# ---------------------------------------------------------------------- what must stay


def blocked(connection: Connection, schema: Schema, going: Going) -> dict[str, set[str]]:
    """Return by table, as they are written, the keys of rows that something needs which stays.

    What points to each other in these rows goes together, also in a circle.
    """
    tables = schema.belonging.metadata.tables
    found = {
        name: _needed_outside(connection, schema, tables[name], going)
        for name, keys in going.items()
        if keys
    }
    if not any(found.values()):
        return found
    needs: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for name in found:
        for link, inside in _inside(schema, tables[name], going):
            size = len(keys_of(link.table))
            for row in connection.execute(inside):
                there = (link.table.key, written(row[:size]))
                needs.setdefault(there, set()).add((name, written(row[size:])))
    left = [(name, key) for name, keys in found.items() for key in keys]
    while left:
        for name, key in needs.get(left.pop(), ()):
            if key not in found[name]:
                found[name].add(key)
                left.append((name, key))
    return found


def _needed_outside(
    connection: Connection, schema: Schema, table: Table, going: Going
) -> set[str]:
    """Return the keys of rows to which something points that is not among those that go."""
    own, keys = keys_of(table), going[table.key]
    pointing = []
    for link in schema.links.get(table.key, ()):
        there = link.table.alias()
        found = select(literal(1)).select_from(there).where(_points(there, link, table))
        others = going.get(link.table.key)
        key_there = [there.c[one.key] for one in keys_of(link.table)]
        # Who says RESTRICT looks at each row, others in the end of the statement.
        if others and link.on_delete != "RESTRICT":
            found = found.where(~among(key_there, others))
        elif link.table is table:
            found = found.where(~equal(key_there, own))
        pointing.append(found.correlate(table).exists())
    if not pointing:
        return set()
    statement = select(*own).where(among(own, keys), or_(*pointing))
    return {written(row) for row in connection.execute(statement)}


def _inside(
    schema: Schema, table: Table, going: Going
) -> Iterator[tuple[Link, Select[tuple[Any, ...]]]]:
    """Yield of each link what selects who points, and to whom, among the rows that go."""
    own = keys_of(table)
    for link in schema.links.get(table.key, ()):
        if others := going.get(link.table.key):
            there = link.table.alias()
            key_there = [there.c[one.key] for one in keys_of(link.table)]
            joined = table.join(there, _points(there, link, table))
            yield (
                link,
                select(*key_there, *own)
                .select_from(joined)
                .where(among(own, going[table.key]), among(key_there, others)),
            )


def _points(there: Any, link: Link, table: Table) -> Any:
    return equal(
        [there.c[name] for name in link.columns], [table.c[name] for name in link.targets]
    )


# ---------------------------------------------------------------------- windows


@dataclass(frozen=True)
class Window:
    """Some rows that wait, of each table of a circle, and those near them that point to them."""

    rows: Mapping[str, Sequence[Listed]]
    last: Mapping[str, int]
    """Behind which numbers of the list the next window begins, by table."""

    @property
    def is_empty(self) -> bool:
        return not any(self.rows.values())


def window(
    rows: RowList, schema: Schema, circle: Sequence[Table], after: Mapping[str, int]
) -> Window:
    """Return the rows that wait next, as many as one statement can take."""
    most = LARGEST_RING // sum(len(keys_of(one)) for one in circle)
    found = {
        one.key: rows.some(one, Fate.WAITING, most, after=after.get(one.key, 0)) for one in circle
    }
    last = {name: some[-1].number if some else after.get(name, 0) for name, some in found.items()}
    known = {name: {one.text for one in some} for name, some in found.items()}
    edge: dict[str, list[Key]] = {name: [one.key for one in some] for name, some in found.items()}
    for _ in range(_STEPS if len(circle) > 1 else 0):
        further: dict[str, list[Key]] = {one.key: [] for one in circle}
        for table in circle:
            for other, listed in _pointing(rows, schema, table, edge[table.key], circle):
                for one in listed:
                    if one.text not in known[other] and len(known[other]) < 2 * most:
                        known[other].add(one.text)
                        found[other].append(one)
                        further[other].append(one.key)
        edge = further
    return Window(found, last)


def _pointing(
    rows: RowList, schema: Schema, table: Table, keys: Sequence[Key], circle: Sequence[Table]
) -> Iterator[tuple[str, list[Listed]]]:
    """Yield the rows that wait and point to some of a table, by their table."""
    own = keys_of(table)
    for link in schema.links.get(table.key, ()):
        if link.loose or link.table not in circle:
            continue
        there = link.table.alias()
        key_there = [there.c[one.key] for one in keys_of(link.table)]
        joined = table.join(there, _points(there, link, table))
        for start in range(0, len(keys), BATCH):
            some = among(own, keys[start : start + BATCH])
            statement = select(*key_there).select_from(joined).where(some)
            pointing = [tuple(row) for row in rows.connection.execute(statement)]
            for begin in range(0, len(pointing), BATCH):
                part = pointing[begin : begin + BATCH]
                yield link.table.key, rows.listed(link.table, part, Fate.WAITING)


# ---------------------------------------------------------------------- deletion


def delete_together(connection: Connection, schema: Schema, going: Going) -> dict[str, int]:
    """Delete rows before anybody looks at the foreign keys between them; return how many."""
    tables = schema.belonging.metadata.tables
    statements = {
        name: delete(tables[name]).where(among(keys_of(tables[name]), keys))
        for name, keys in going.items()
        if keys
    }
    if connection.dialect.name == "sqlite" and len(statements) > 1:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    if connection.dialect.name == "sqlite" or len(statements) < 2:  # noqa: PLR2004 - one alone
        return {name: connection.execute(one).rowcount for name, one in statements.items()}
    # By one statement, in the end of which PostgreSQL looks; it counts the rows of one table.
    [first, *others] = statements
    counts = {name: _count(connection, tables[name], going[name]) for name in others}
    together = statements[first]
    for place, name in enumerate(others):
        together = together.add_cte(statements[name].cte(f"gone_{place}"))
    return {first: connection.execute(together).rowcount, **counts}


def _count(connection: Connection, table: Table, keys: Sequence[Key]) -> int:
    found = select(func.count()).select_from(table).where(among(keys_of(table), keys))
    return int(connection.scalar(found) or 0)
