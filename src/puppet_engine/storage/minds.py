"""Moods, relationships and tidings as rows: read at the beginning of a turn, kept at its end."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Insert, Table, bindparam, delete, insert, or_, select
from sqlalchemy.orm import Session

from puppet_engine.core.circumstances import folded
from puppet_engine.core.minds import KnownMind, Tiding
from puppet_engine.core.models import Event, TurnOutcome
from puppet_engine.core.moods import Impulse, MoodChange, MoodState
from puppet_engine.core.relationships import Reason, Relationship
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import Whose, identify, person_of
from puppet_engine.storage.rows import upsert
from puppet_engine.storage.settling import settle_events

BEST_KNOWN: Final = 24
"""How many relationships are read when a turn is about nobody in particular."""

TIDINGS: Final = 10
"""How many of the last tidings are read."""

NEWS_FOR: Final = timedelta(days=2)
"""After how long a tiding is none any more."""

Row = dict[str, Any]

# ------------------------------------------------------------------ reading


def read_mind(
    session: Session, storage: Storage, agent_id: str, *, about: str | None, now: datetime
) -> KnownMind:
    """Return what is kept of an agent's mind, with how it stands with whom the turn is `about`."""
    connection = session.connection()
    mood = connection.execute(storage.statement(_mood), {"of": agent_id}).first()
    if about is None:
        known = connection.execute(storage.statement(_best_known), {"of": agent_id})
    else:
        asked = {"of": agent_id, "whom": about}
        known = connection.execute(storage.statement(_known), asked)
    found = storage.opened(_relationships(storage), known)
    relationships = tuple(_relationship(row) for row in found)
    recent = {"of": agent_id, "since": now - NEWS_FOR}
    heard = connection.execute(storage.statement(_tidings), recent)
    tidings = list(storage.opened(_heard(storage), heard))
    return KnownMind.model_construct(
        mood=None if mood is None else _mood_state(mood),
        relationships=relationships,
        tidings=tuple(_tiding(row) for row in reversed(tidings)),
    )


def _mood_state(row: Any) -> MoodState:
    return MoodState.model_construct(
        valence=row.valence,
        arousal=row.arousal,
        as_of=row.as_of,
        unanswered=row.unanswered,
        heard=row.heard,
        told=row.told,
    )


def _relationship(row: Any) -> Relationship:
    return Relationship.model_construct(
        handle=row.handle,
        familiarity=row.familiarity,
        affinity=row.affinity,
        trust=row.trust,
        as_of=row.as_of,
        reasons=tuple(Reason.model_validate(reason) for reason in row.reasons),
    )


def _tiding(row: Any) -> Tiding:
    return Tiding.model_construct(
        number=row.sequence,
        type=row.type,
        text=row.text,
        impulse=Impulse.model_construct(valence=row.valence, arousal=row.arousal),
        happened_at=row.happened_at,
    )


def _mood(storage: Storage) -> Any:
    table = _moods(storage)
    return select(table).where(table.c.agent_id == bindparam("of"))


def _known(storage: Storage) -> Any:
    table = _relationships(storage)
    of_agent = select(table).where(table.c.agent_id == bindparam("of"))
    return of_agent.where(table.c.handle == bindparam("whom"))


def _best_known(storage: Storage) -> Any:
    table = _relationships(storage)
    of_agent = select(table).where(table.c.agent_id == bindparam("of"))
    return of_agent.order_by(table.c.familiarity.desc(), table.c.handle).limit(BEST_KNOWN)


def _tidings(storage: Storage) -> Any:
    table = _heard(storage)
    heard = select(table).where(
        table.c.happened_at > bindparam("since"),
        or_(table.c.agent_id.is_(None), table.c.agent_id == bindparam("of")),
    )
    return heard.order_by(table.c.sequence.desc()).limit(TIDINGS)


# ------------------------------------------------------------------ keeping


def mind_rows(agent_id: str, outcome: TurnOutcome) -> tuple[list[Row], list[Row], list[Row]]:
    """Return the rows of what a turn has changed: the mood, its moments, and relationships."""
    moods = [] if outcome.mood is None else [_mood_row(agent_id, outcome.mood)]
    moments = [_moment_row(agent_id, change) for change in outcome.mood_changes]
    standing = [
        {"agent_id": agent_id, **each.model_dump(exclude={"reasons"}), "reasons": _reasons(each)}
        for each in outcome.relationships
    ]
    return moods, moments, standing


def keep_minds(
    session: Session,
    storage: Storage,
    *,
    moods: Sequence[Row],
    moments: Sequence[Row],
    relationships: Sequence[Row],
) -> None:
    """Write what turns have changed in agents, in rows whose persons are identified."""
    connection = session.connection()
    for make, rows in (
        (_keep_mood, moods),
        (_keep_moment, moments),
        (_keep_relationship, relationships),
    ):
        if rows:
            connection.execute(storage.statement(make), list(rows))


def of_minds(moments: Iterable[Row], relationships: Iterable[Row]) -> Whose:
    """Return such rows, each with the handle of its person."""
    named = [(row, person_of({}, row["reason"])) for row in moments]
    return [*named, *((row, folded(row["handle"])) for row in relationships)]


def keep_tiding(session: Session, storage: Storage, event: Event, tiding: Tiding) -> None:
    """Settle an event and keep it as a tiding; not again, when it is over already."""
    (is_new,) = settle_events(session, storage, [(event, "")])
    if is_new:
        row = {
            "event_id": event.id,
            "agent_id": event.agent_id,
            "type": tiding.type,
            "text": tiding.text,
            "valence": tiding.impulse.valence,
            "arousal": tiding.impulse.arousal,
            "happened_at": tiding.happened_at,
        }
        identify(session, storage, [(row, person_of({}, tiding.text))])
        session.connection().execute(storage.statement(_new_tiding), row)


def _new_tiding(storage: Storage) -> Insert:
    return insert(_heard(storage))


def let_go_of_minds(session: Session, storage: Storage, *, before: datetime, limit: int) -> None:
    """Delete what was told, felt and decided before a moment, of each `limit` rows at the most.

    What agents feel now, and how they stand with others, stays.
    """
    for name, moment in (("MoodMoment", "at"), ("Decision", "at"), ("Tiding", "happened_at")):
        table: Table = storage.model(name).__table__
        old = select(table.c.sequence).where(table.c[moment] < before)
        doomed = old.order_by(table.c[moment]).limit(limit)
        session.connection().execute(delete(table).where(table.c.sequence.in_(doomed)))


def _mood_row(agent_id: str, mood: MoodState) -> Row:
    return {"agent_id": agent_id, **mood.model_dump()}


def _moment_row(agent_id: str, change: MoodChange) -> Row:
    return {
        "agent_id": agent_id,
        "at": change.before.as_of,
        "event": change.event,
        "impulse_valence": change.impulse.valence,
        "impulse_arousal": change.impulse.arousal,
        "valence_before": change.before.valence,
        "arousal_before": change.before.arousal,
        "valence_after": change.after.valence,
        "arousal_after": change.after.arousal,
        "reason": change.reason,
    }


def _reasons(relationship: Relationship) -> list[Any]:
    return [reason.model_dump(mode="json") for reason in relationship.reasons]


def _keep_mood(storage: Storage) -> Any:
    return upsert(storage, _moods(storage))


def _keep_relationship(storage: Storage) -> Any:
    return upsert(storage, _relationships(storage))


def _keep_moment(storage: Storage) -> Insert:
    return insert(storage.model("MoodMoment").__table__)


def _moods(storage: Storage) -> Table:
    table: Table = storage.model("AgentMood").__table__
    return table


def _relationships(storage: Storage) -> Table:
    table: Table = storage.model("AgentRelationship").__table__
    return table


def _heard(storage: Storage) -> Table:
    table: Table = storage.model("Tiding").__table__
    return table
