"""Whom rows are of: somebody on a network who said it, is answered, or is named in it.

A row has one person, which is known when it is written; so an erasure of that person finds it,
also in a backup. Who else is named in it is looked for when somebody is to be forgotten.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from puppet_engine.core.circumstances import folded
from puppet_engine.storage.gateway import Storage

Row = dict[str, Any]
Whose = list[tuple[Row, str | None]]

_MENTION: Final = re.compile(r"(?<![\w@])@(\w(?:[\w.-]*\w)?)")
"""A handle of X, or one of a network whose handles are names of hosts."""
NAMED: Final = ("author_handle", "reply_to_handle", "addressed_to", "speaker")
"""Under which keys a payload, or the details of a memory, say with whom it is."""
_SELF: Final = "self"
"""The source of what an agent has said itself, whose speaker is no person to it."""


def mentions(text: str) -> list[str]:
    """Return whom a text names with an @, in its order."""
    return [folded(found) for found in _MENTION.findall(text)]


def person_of(said: Mapping[str, Any], text: str = "") -> str | None:
    """Return the handle of whom a payload, or the details of a memory with a text, is about."""
    own = said.get("speaker") if said.get("source") == _SELF else said.get("handle")
    own = folded(own) if isinstance(own, str) else None
    for key in NAMED:
        handle = said.get(key)
        if isinstance(handle, str) and folded(handle) not in {"", own}:
            return folded(handle)
    texts = (text, said.get("text"), said.get("content"))
    named = (one for part in texts if isinstance(part, str) for one in mentions(part))
    return next((one for one in named if one != own), None)


def identify(session: Session, storage: Storage, whose: Whose) -> None:
    """Give rows, in place, the ids of their persons by handle, who are made known if need be.

    Done again, it does the same: a transaction may be.
    """
    wanted = sorted({handle for _, handle in whose if handle})
    ids = _ids(session, storage, wanted) if wanted else {}
    for row, handle in whose:
        row["person_id"] = ids[handle] if handle else None


def of_payloads(rows: Iterable[Row]) -> Whose:
    """Return rows that have a payload, each with the handle of its person."""
    return [(row, person_of(row["payload"])) for row in rows]


def of_memories(rows: Iterable[Row]) -> Whose:
    """Return rows that have details and a content, each with the handle of its person."""
    return [(row, person_of(row["details"], row["content"])) for row in rows]


def identify_handle(session: Session, storage: Storage, handle: str) -> str:
    """Return the id of a person, who is made known if need be."""
    return _ids(session, storage, [folded(handle)])[folded(handle)]


def _ids(session: Session, storage: Storage, handles: Sequence[str]) -> dict[str, str]:
    connection = session.connection()
    known = _looked_up(connection, storage, handles)
    missing = [handle for handle in handles if handle not in known]
    if not missing:
        return known
    now = storage.clock.now()
    new = [{"id": storage.ids(), "handle": handle, "created_at": now} for handle in missing]
    is_shared = connection.dialect.name == "postgresql"
    connection.execute(storage.statement(_new_to_all if is_shared else _new), new)
    return known | _looked_up(connection, storage, missing)


def _looked_up(connection: Connection, storage: Storage, handles: Sequence[str]) -> dict[str, str]:
    found = connection.execute(storage.statement(_known), {"handles": handles})
    return {row.handle: row.id for row in found}


def _people(storage: Storage) -> Table:
    table: Table = storage.model("Person").__table__
    return table


def _known(storage: Storage) -> Any:
    table = _people(storage)
    wanted = table.c.handle.in_(bindparam("handles", expanding=True))
    return select(table.c.handle, table.c.id).where(wanted)


def _new(storage: Storage) -> Any:
    return insert(_people(storage))


def _new_to_all(storage: Storage) -> Any:
    """Leave it to another process that has met somebody at the same time."""
    table = _people(storage)
    return postgresql.insert(table).on_conflict_do_nothing(index_elements=[table.c.handle])
