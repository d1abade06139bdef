"""By which marks texts are found again that are as good as the same, however long ago."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Delete, Insert, Table, bindparam, delete, exists, func, insert, select
from sqlalchemy.orm import Session

from puppet_engine.core.models import IntentState
from puppet_engine.storage.gateway import Storage

MARKS: Final = "marks"
"""Under this key the payload of an intent holds the marks of its text."""

MOST_MARKS: Final = 16
"""A text has so many marks at the most."""

_SAID: Final = (IntentState.PENDING.value, IntentState.SENDING.value, IntentState.DONE.value)


def print_rows(intents: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the marks of intents."""
    for intent in intents:
        for mark in intent["payload"].get(MARKS, ()):
            yield {"mark": mark, "intent_id": intent["id"]}


def new_print(storage: Storage) -> Insert:
    """Return what keeps a mark."""
    return insert(storage.model("SaidPrint").__table__)


def marked_alike(
    session: Session, storage: Storage, marks: Sequence[int], *, limit: int
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return whose and what intents share a mark, none that was refused.

    Those that share most come first, of them the newest: where many are alike in part, the one
    that is as good as the same is not among the last.
    """
    asked = {"marks": list(marks), "most": limit}
    found = session.connection().execute(storage.statement(_alike), asked)
    intents: Table = storage.model("Intent").__table__
    return [(row.agent_id, row.payload) for row in storage.opened(intents, found)]


def let_go_of_prints(session: Session, storage: Storage, *, limit: int) -> None:
    """Delete the oldest marks whose intents are gone, those of `limit` intents at the most."""
    asked = {"most": limit * MOST_MARKS}
    session.connection().execute(storage.statement(_orphans), asked)


def _orphans(storage: Storage) -> Delete:
    prints: Table = storage.model("SaidPrint").__table__
    intents: Table = storage.model("Intent").__table__
    oldest = select(prints.c.sequence).order_by(prints.c.sequence).limit(bindparam("most"))
    has_intent = exists().where(intents.c.id == prints.c.intent_id)
    return delete(prints).where(prints.c.sequence.in_(oldest), ~has_intent)


def _alike(storage: Storage) -> Any:
    prints: Table = storage.model("SaidPrint").__table__
    intents: Table = storage.model("Intent").__table__
    sharing = (
        select(prints.c.intent_id, func.count().label("shared"))
        .where(prints.c.mark.in_(bindparam("marks", expanding=True)))
        .group_by(prints.c.intent_id)
        .subquery()
    )
    return (
        select(intents.c.agent_id, intents.c.payload, intents.c.id, intents.c.person_id)
        .join_from(sharing, intents, intents.c.id == sharing.c.intent_id)
        .where(intents.c.state.in_(_SAID))
        .order_by(sharing.c.shared.desc(), intents.c.sequence.desc())
        .limit(bindparam("most"))
    )
