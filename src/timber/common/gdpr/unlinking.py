"""Lets nothing that stays point to rows that go, as far as links may be null."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select, tuple_, update

from timber.common.gdpr.links import Link
from timber.common.gdpr.neutral import bare_table as bare, sealed_names
from timber.common.gdpr.row_list import BATCH, Fate, RowList, written
from timber.common.gdpr.saga import Erasing, Saga
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import among, keys_of

Key = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Unlinker:
    """Sets links to null, some at a time."""

    schema: Schema
    saga: Saga

    def unlink_some(
        self,
        now: Erasing,
        rows: RowList,
        link: Link,
        table: Table,
        keys: Sequence[Key],
        last: Key | None,
    ) -> Key | None:
        connection, own = rows.connection, keys_of(link.table)
        pointing = [link.table.c[name] for name in link.columns]
        held = self.schema.holds.read(connection, keeping=True)
        statement = (
            select(*own)
            .where(among(pointing, _targets(connection, link, table, keys)))
            .where(~held.condition(link.table, link.table))
            .order_by(*own)
            .limit(BATCH)
        )
        if last is not None:
            place = tuple_(*own) > tuple(last) if len(own) > 1 else own[0] > last[0]
            statement = statement.where(place)
        found = [tuple(row) for row in connection.execute(statement)]
        if not found:
            return None
        retained = (
            rows.among(link.table, found, Fate.STAYS) if self.schema.retains(link.table) else set()
        )
        loose = [key for key in found if written(key) not in retained]
        if loose:
            going = rows.among(link.table, loose, Fate.FOUND, Fate.WAITING)
            there = bare(link.table, link.loose) if sealed_names(link.table) else link.table
            keys_there = [there.c[one.name] for one in own]
            connection.execute(
                update(there).where(among(keys_there, loose)).values(dict.fromkeys(link.loose))
            )
            others = sum(written(key) not in going for key in loose)
            now.counts.add(link.table.key, "unlinked", others)
            self.saga.save(connection, now)
        return found[-1] if len(found) == BATCH else None


def _targets(
    connection: Connection, link: Link, table: Table, keys: Sequence[Key]
) -> Sequence[Key]:
    """Return what points to rows with these keys, if it does."""
    own = keys_of(table)
    if link.targets == tuple(column.key for column in own):
        return keys
    named = [table.c[name] for name in link.targets]
    rows = connection.execute(select(*named).where(among(own, keys)))
    return [tuple(row) for row in rows]
