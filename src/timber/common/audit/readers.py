"""Turns what was read into notes: finds out whom the rows are about."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from timber.common.audit.actors import Acting
from timber.common.audit.audited import AuditedTable
from timber.common.audit.notes import Note
from timber.common.audit.reads import Read


def notes_of(
    connection: Connection,
    reads: Sequence[Read],
    tables: Mapping[str, AuditedTable],
    default: Acting,
) -> list[Note]:
    """Return reads as notes; asks once a table and step of the way to whom rows are about."""
    links: dict[str, dict[Any, Any]] = {}
    starts: dict[str, set[Any]] = defaultdict(set)
    for one in reads:
        if one.link is not None:
            starts[one.table].add(one.link)
    for name, found in starts.items():
        links[name] = _ends(connection, tables[name], found)
    return [_note(one, tables[one.table], links, default) for one in reads]


def _note(
    read: Read, audited: AuditedTable, links: Mapping[str, Mapping[Any, Any]], default: Acting
) -> Note:
    common: dict[str, Any] = {
        "table": read.table,
        "operation": "read",
        "moment": read.moment,
        "acting": read.acting or default,
        "columns": read.columns,
    }
    if read.key is None:
        return Note(**common)
    # As texts and numbers, the way in which triggers write them.
    key = list(read.key)
    end = links.get(read.table, {}).get(read.link)
    link = None if end is None else str(end)
    return Note(**common, key=key, subject=audited.subject(link, key))


def _ends(connection: Connection, audited: AuditedTable, starts: set[Any]) -> dict[Any, Any]:
    """Return the end of the path for each of its beginnings."""
    found = {start: start for start in starts}
    columns = audited.link_columns
    for before, column in pairwise(columns):
        target = next(iter(before.foreign_keys)).column
        here = {one for one in found.values() if one is not None}
        if not here:
            break
        rows = connection.execute(select(target, column).where(target.in_(here)))
        onward = {row[0]: row[1] for row in rows}
        found = {start: onward.get(at) for start, at in found.items()}
    return found
