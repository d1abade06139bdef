"""Turns as rows: those of many agents in a few statements, which cost little more than one's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Delete, Insert, Table, Update, bindparam, delete, insert, update
from sqlalchemy.orm import Session

from puppet_engine.core.models import (
    FOLLOWS,
    Event,
    EventDraft,
    IntentDraft,
    IntentState,
    TurnOutcome,
)
from puppet_engine.storage.decisions import decision_rows, new_decision, of_decisions
from puppet_engine.storage.event_rows import event_row, insert_rows
from puppet_engine.storage.forgetting import let_go, note_uses
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.minds import keep_minds, mind_rows, of_minds
from puppet_engine.storage.people import Whose, identify, of_memories, of_payloads
from puppet_engine.storage.remembering import (
    Remembered,
    keep_apart,
    keep_memories,
    quarantined,
    remembered,
)
from puppet_engine.storage.said_prints import new_print, print_rows
from puppet_engine.storage.settling import settle_events

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TurnRows:
    """What one turn writes, ready to be written."""

    agent_id: str
    event: Event | None
    error: str
    cursor: str | None
    answers_to: str
    memories: list[Remembered]
    quarantined: list[Row]
    recalled: Sequence[str]
    forgotten: Sequence[str]
    intents: list[Row]
    drafts: Sequence[EventDraft]
    events: list[Row]
    moods: list[Row]
    moments: list[Row]
    relationships: list[Row]
    decisions: list[Row]

    def whose(self) -> Whose:
        """Return all rows that can be of a person, each with the handle of its own."""
        return [
            *of_memories([*(one.row for one in self.memories), *self.quarantined]),
            *of_payloads([*self.intents, *self.events]),
            *of_minds(self.moments, self.relationships),
            *of_decisions(self.decisions),
        ]


def turn_rows(
    storage: Storage, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str
) -> TurnRows:
    """Return the rows of a turn; its ids are drawn here, in the order of the turns."""
    moods, moments, relationships = mind_rows(agent_id, outcome)
    memories = [remembered(storage, agent_id, memory) for memory in outcome.memories]
    intents = intent_rows(storage, agent_id, outcome.intents)
    return TurnRows(
        agent_id=agent_id,
        event=event,
        error=error,
        cursor=outcome.cursor,
        answers_to=outcome.answers_to,
        memories=memories,
        quarantined=quarantined(storage, agent_id, outcome.quarantined),
        recalled=outcome.recalled,
        forgotten=outcome.forgotten,
        intents=intents,
        drafts=outcome.events,
        events=[event_row(storage, draft) for draft in outcome.events],
        moods=moods,
        moments=moments,
        relationships=relationships,
        decisions=decision_rows(
            outcome.decision,
            agent_id=agent_id,
            event_id=None if event is None else event.id,
            intents=[row["id"] for row in intents],
            at=storage.clock.now(),
        ),
    )


def keep_turns(session: Session, storage: Storage, turns: Sequence[TurnRows]) -> list[list[Event]]:
    """Write turns, and return the events that each has brought.

    A turn whose event is over already is another process's by now: nothing of it is kept.
    """
    is_new = _settle(session, storage, turns)
    kept = [turn for turn, new in zip(turns, is_new, strict=True) if new]
    identify(session, storage, [one for turn in kept for one in turn.whose()])
    keep_memories(session, storage, [one for turn in kept for one in turn.memories])
    keep_apart(session, storage, [row for turn in kept for row in turn.quarantined])
    for turn in kept:
        note_uses(session, storage, turn.agent_id, turn.recalled)
        let_go(session, storage, turn.agent_id, turn.forgotten)
    intents = [row for turn in kept for row in turn.intents]
    _insert(session, storage, _intent, intents)
    _insert(session, storage, new_print, list(print_rows(intents)))
    _insert(session, storage, new_decision, [row for turn in kept for row in turn.decisions])
    keep_minds(
        session,
        storage,
        moods=[row for turn in kept for row in turn.moods],
        moments=[row for turn in kept for row in turn.moments],
        relationships=[row for turn in kept for row in turn.relationships],
    )
    _move_cursors(session, storage, kept)
    _forget_answers(session, storage, turns)
    events = iter(_insert_events(session, storage, kept))
    return [next(events) if new else [] for new in is_new]


def _settle(session: Session, storage: Storage, turns: Sequence[TurnRows]) -> list[bool]:
    """Mark the events of turns as over; say of each turn whether it is the first to do so."""
    settlements = [(turn.event, turn.error) for turn in turns if turn.event is not None]
    settled = iter(settle_events(session, storage, settlements))
    return [turn.event is None or next(settled) for turn in turns]


def _insert(
    session: Session, storage: Storage, make: Callable[[Storage], Insert], rows: list[Row]
) -> None:
    if rows:
        session.connection().execute(storage.statement(make), rows)


def _intent(storage: Storage) -> Insert:
    return insert(storage.model("Intent").__table__)


def _move_cursors(session: Session, storage: Storage, turns: Sequence[TurnRows]) -> None:
    moved = [{"of": turn.agent_id, "to": turn.cursor} for turn in turns if turn.cursor is not None]
    if moved:
        session.connection().execute(storage.statement(_cursor), moved)


def _cursor(storage: Storage) -> Update:
    table: Table = storage.model("Agent").__table__
    return update(table).where(table.c.id == bindparam("of")).values(cursor=bindparam("to"))


def _forget_answers(session: Session, storage: Storage, turns: Sequence[TurnRows]) -> None:
    # Also those of a turn that another process took: they were for this event, which is over.
    asked = [{"on": turn.answers_to} for turn in turns if turn.answers_to]
    if asked:
        session.connection().execute(storage.statement(_answers), asked)


def _answers(storage: Storage) -> Delete:
    table: Table = storage.model("ModelAnswer").__table__
    return delete(table).where(table.c.occasion == bindparam("on"))


def _insert_events(
    session: Session, storage: Storage, turns: Sequence[TurnRows]
) -> Iterator[list[Event]]:
    drafts = [draft for turn in turns for draft in turn.drafts]
    rows = [row for turn in turns for row in turn.events]
    events = iter(insert_rows(session, storage, drafts, rows))
    for turn in turns:
        yield list(islice(events, len(turn.events)))


def intent_rows(storage: Storage, agent_id: str, drafts: Sequence[IntentDraft]) -> list[Row]:
    """Return the columns of what an agent wants; what goes on knows after what it does."""
    rows: list[Row] = []
    for draft in drafts:
        row = intent_row(storage, agent_id, draft)
        if draft.goes_on:
            row["payload"] = {**draft.payload, FOLLOWS: rows[-1]["id"]}
        rows.append(row)
    return rows


def intent_row(storage: Storage, agent_id: str, draft: IntentDraft) -> Row:
    """Return the columns of an intent that is to be carried out."""
    return {
        "id": storage.ids(),
        "agent_id": agent_id,
        "account": draft.account,
        "kind": draft.kind.value,
        "payload": draft.payload,
        "state": IntentState.PENDING.value,
        "attempts": 0,
        "failures": 0,
        "cost": 0,
        "error": "",
        "journal": {},
        "result": "",
        "created_at": storage.clock.now(),
        "expires_at": draft.expires_at,
    }
