"""Gives rows that stay another natural key, for the one they have tells of a person.

A foreign key can point to a column that is no primary key, such as an e-mail address. Where
nothing points to a row by it, the column is emptied like others. Else the row gets a random value
there, and what points to it gets the same, in one step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from timber.common.gdpr.links import Link
from timber.common.gdpr.neutral import bare_table as bare, random_value, sealed_names
from timber.common.gdpr.saga import Erasing
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import among, equal, keys_of
from timber.common.ids import IdFactory
from timber.common.modeling.sealed_tables import sealed_of

Key = tuple[Any, ...]

_FOLLOWING: Final = "CASCADE"
_UNHINDERED: Final = frozenset({None, "NO ACTION", _FOLLOWING})


@dataclass(frozen=True, kw_only=True)
class Renamer:
    """Gives other natural keys, as a part of the transaction that notes it."""

    schema: Schema
    new_id: IdFactory

    def targets(self, table: Table) -> frozenset[str]:
        """Return the columns that foreign keys point to, but for those of the primary key."""
        into = self.schema.links.get(table.key, ())
        own = {one.key for one in keys_of(table)}
        return frozenset(name for link in into for name in link.targets if name not in own)

    def tells(self, table: Table, name: str) -> bool:
        """Tell whether a target tells who it is: what is personal does, and a key by itself.

        A part of a key, such as a tenant, is others' as well.
        """
        owner = self.schema.owner(table)
        return (owner is not None and name in owner.personal) or any(
            link.targets == (name,) for link in self.schema.links.get(table.key, ())
        )

    def pointed(
        self, connection: Connection, table: Table, keys: Sequence[Key], name: str
    ) -> list[Key]:
        """Return the rows to which something points by a column, alone or with others."""
        own = keys_of(table)
        found: dict[Key, None] = {}
        for link in self._by(table, name):
            there = link.table.alias()
            statement = (
                select(*own)
                .distinct()
                .join(there, _points(there, link, table))
                .where(among(own, keys))
            )
            found |= dict.fromkeys(tuple(row) for row in connection.execute(statement))
        return list(found)

    def rename(
        self,
        connection: Connection,
        now: Erasing,
        table: Table,
        key: Key,
        name: str,
    ) -> bool:
        """Give a row a random value there, and what points to it; return False if it may not be.

        It may not where what points to it stays as it is, or is itself known by that value.
        """
        links = [link for link in self._by(table, name) if self._count(connection, link, key)]
        if any(self._forbids(connection, link, key) for link in links):
            return False
        values = {name: random_value(table.c[name], self.new_id)}
        mine = among(keys_of(table), [key])
        stored = connection.execute(select(table).where(mine)).one()
        old = dict(zip(table.c.keys(), stored, strict=True))
        change: Any = update(table).where(mine).values(values)
        following = []
        for link in links:
            now.counts.add(link.table.key, "renamed", self._count(connection, link, key))
            if link.on_update != _FOLLOWING:
                following.append(_following(link, old, values))
        if connection.dialect.name == "sqlite":
            # Both change before anybody looks whether the one points to the other.
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for one in (change, *following):
                connection.execute(one)
        else:
            # The same by one statement, in the end of which PostgreSQL looks.
            for place, one in enumerate(following):
                change = change.add_cte(one.cte(f"renamed_{place}"))
            connection.execute(change)
        return True

    def _by(self, table: Table, name: str) -> Iterator[Link]:
        for link in self.schema.links.get(table.key, ()):
            if name in link.targets:
                yield link

    def _count(self, connection: Connection, link: Link, key: Key) -> int:
        there, target = link.table.alias(), self.schema.belonging.metadata.tables[link.target]
        statement = (
            select(func.count())
            .select_from(there)
            .join(target, _points(there, link, target))
            .where(among(keys_of(target), [key]))
        )
        return int(connection.scalar(statement) or 0)

    def _forbids(self, connection: Connection, link: Link, key: Key) -> bool:
        """Tell whether rows that point to one must not be changed there."""
        child = link.table
        if link.on_update not in _UNHINDERED or self.schema.retains(child):
            return True
        sealed = sealed_of(child)
        known = {one.key for one in keys_of(child)}
        known.update((*sealed.key, sealed.link or "") if sealed else ())
        for one in (one for links in self.schema.links.values() for one in links):
            if one.target == child.key:
                known.update(one.targets)
            if one.table is child and one is not link:
                known.update(one.columns)
        if child.key == link.target or not known.isdisjoint(link.columns):
            return True
        held = self.schema.holds.read(connection, keeping=True)
        if not held.can(child.key):
            return False
        target = self.schema.belonging.metadata.tables[link.target]
        statement = (
            select(func.count())
            .select_from(child)
            .join(target, _points(child, link, target))
            .where(among(keys_of(target), [key]), held.condition(child, child))
        )
        return bool(connection.scalar(statement))


def _points(there: Any, link: Link, table: Table) -> ColumnElement[bool]:
    return equal(
        [there.c[name] for name in link.columns], [table.c[name] for name in link.targets]
    )


def _following(link: Link, old: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """Return what has the rows that pointed to the old values point to the new ones."""
    there: Any = bare(link.table, link.columns) if sealed_names(link.table) else link.table
    pairs = list(zip(link.columns, link.targets, strict=True))
    changes = {here: values[target] for here, target in pairs if target in values}
    same = [there.c[here] == old[target] for here, target in pairs]
    return update(there).where(*same).values(changes)
