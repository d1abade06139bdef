"""What lies between a database and the models beside the tables: triggers, vectors, full text."""

import json
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from alembic.operations import MigrateOperation
from sqlalchemy import Connection, MetaData, column, select, table

from timber.common.database.attachments import differences
from timber.common.migrations.vector_operations import (
    CreateVectorStorageOp,
    UnwatchRowsOp,
    WatchRowsOp,
)
from timber.common.vector.row_triggers import SOURCES, WatchedRows
from timber.common.vector.tables import CHUNKS

_SOURCES = table(SOURCES, column("table_name"), column("definition"))


@dataclass(frozen=True)
class AttachedDifference:
    """What comes before all else, and what comes after it; there, and on the way back."""

    first: tuple[MigrateOperation, ...]
    last: tuple[MigrateOperation, ...]
    first_back: tuple[MigrateOperation, ...]
    last_back: tuple[MigrateOperation, ...]


def find_attached(
    connection: Connection, metadata: MetaData, *, known: AbstractSet[str], there: AbstractSet[str]
) -> AttachedDifference:
    """Compare what is attached to tables; `there` names those that the database has."""
    found = differences(
        connection,
        metadata,
        coming=frozenset(metadata.tables),
        ours=frozenset(metadata.tables) | known,
    )
    wanted = {one.table: one.about for one in found.missing if isinstance(one.about, WatchedRows)}
    stale: dict[str, list[str]] = {}
    for name, of in found.stale:
        stale.setdefault(of, []).append(name)
    old = _definitions(connection, there) if stale else {}
    renamed = {rows.was: rows.table for rows in wanted.values() if rows.was}
    first: list[MigrateOperation] = []
    last_back: list[MigrateOperation] = []
    for of, names in sorted(stale.items()):
        forget = renamed.get(of, of) not in wanted
        first.append(UnwatchRowsOp(of, sorted(names), forget=forget))
        if of in old:
            last_back.append(WatchRowsOp.of(old[of]))
    last: list[MigrateOperation] = []
    first_back: list[MigrateOperation] = []
    for rows in wanted.values():
        last.append(WatchRowsOp.of(rows))
        triggers = rows.attachment(connection.dialect).objects
        forget = not {rows.table, rows.was} & stale.keys()
        first_back.append(UnwatchRowsOp(rows.table, triggers, forget=forget))
    if any(one.about is None for one in found.missing):
        is_first = CHUNKS not in there
        last.insert(0, CreateVectorStorageOp(is_first=is_first))
        first_back += [CreateVectorStorageOp().reverse()] if is_first else []
    return AttachedDifference(tuple(first), tuple(last), tuple(first_back), tuple(last_back))


def _definitions(connection: Connection, there: AbstractSet[str]) -> dict[str, WatchedRows]:
    """Return how the rows of tables are watched, as the database knows it."""
    if SOURCES not in there:
        return {}
    rows = connection.execute(select(_SOURCES).where(_SOURCES.c.definition.is_not(None)))
    return {str(row.table_name): WatchedRows.from_dict(json.loads(row.definition)) for row in rows}
