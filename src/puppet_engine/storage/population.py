"""The agents as rows: any number of them, of which few are in memory."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Insert, Table, Update, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from puppet_engine.core.errors import AgentExistsError
from puppet_engine.core.models import AgentConfig, Event, TurnOutcome
from puppet_engine.core.personas import KEPT
from puppet_engine.storage.base import Arrival
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.turns import keep_turns, turn_rows


def agent_row(arrival: Arrival) -> dict[str, Any]:
    """Return the columns of an agent."""
    return {
        "id": arrival.config.id,
        "name": arrival.config.name,
        "handle": arrival.handle.lower() or None,
        "persona": public(arrival.config),
        "is_guest": arrival.is_guest,
    }


def public(config: AgentConfig) -> dict[str, Any]:
    """Return a persona as it may be stored: its private key never is."""
    return config.model_dump(mode="json", exclude={"solana_integration": {"private_key"}})


async def enrol_new(storage: Storage, arrivals: Sequence[Arrival]) -> list[Event]:
    """Take up agents that nobody knows, all of them or none, and return their events.

    Raises:
        AgentExistsError: an id or a handle is taken, in the database or among themselves.

    """
    if not arrivals:
        return []
    require_different(arrivals)
    agents = [agent_row(arrival) for arrival in arrivals]
    days = [
        turn_rows(storage, arrival.config.id, None, _first_day(arrival), error="")
        for arrival in arrivals
    ]

    def work(session: Session) -> list[Event]:
        _require_free(session, storage, arrivals)
        session.connection().execute(storage.statement(new_agent), agents)
        return [event for events in keep_turns(session, storage, days) for event in events]

    return await storage.run(work)


def _first_day(arrival: Arrival) -> TurnOutcome:
    return TurnOutcome(memories=tuple(arrival.first_memories), events=tuple(arrival.first_events))


def require_different(arrivals: Sequence[Arrival]) -> None:
    """Do nothing, unless two of those that arrive have one id or handle.

    Raises:
        AgentExistsError: names the second of them.

    """
    ids: set[str] = set()
    handles: set[str] = set()
    for arrival in arrivals:
        if arrival.config.id in ids:
            raise AgentExistsError(arrival.config.id)
        if arrival.handle.lower() in handles:
            raise AgentExistsError(arrival.config.id, handle=arrival.handle)
        ids.add(arrival.config.id)
        if arrival.handle:
            handles.add(arrival.handle.lower())


def _require_free(session: Session, storage: Storage, arrivals: Sequence[Arrival]) -> None:
    model = storage.model("Agent")
    handles = {arrival.handle.lower(): arrival for arrival in arrivals if arrival.handle}
    ids = [arrival.config.id for arrival in arrivals]
    taken = select(model.id, model.handle).where(or_(model.id.in_(ids), model.handle.in_(handles)))
    for agent_id, handle in session.connection().execute(taken.limit(1)):
        if agent_id in ids:
            raise AgentExistsError(agent_id)
        raise AgentExistsError(handles[handle].config.id, handle=handle)


def require_free_handle(session: Session, storage: Storage, arrival: Arrival) -> None:
    """Do nothing, unless another agent has the handle of one that arrives.

    Raises:
        AgentExistsError: another agent has it.

    """
    if not arrival.handle:
        return
    asked = {"wanted": arrival.handle.lower(), "of": arrival.config.id}
    if session.connection().execute(storage.statement(_namesake), asked).first() is not None:
        raise AgentExistsError(arrival.config.id, handle=arrival.handle)


def renew(session: Session, storage: Storage, row: dict[str, Any]) -> bool:
    """Give an agent that is known the columns it has now; False when it is not known."""
    changes = {name: row[name] for name in ("name", "handle", "persona")}
    known = session.connection().execute(storage.statement(_agent), changes | {"of": row["id"]})
    return bool(known.rowcount)


def new_agent(storage: Storage) -> Insert:
    """Return the statement that keeps the row of an agent."""
    return insert(storage.model("Agent").__table__)


def _agent(storage: Storage) -> Update:
    table: Table = storage.model("Agent").__table__
    return update(table).where(table.c.id == bindparam("of"))


def _namesake(storage: Storage) -> Any:
    table: Table = storage.model("Agent").__table__
    others = table.c.handle == bindparam("wanted"), table.c.id != bindparam("of")
    return select(table.c.id).where(*others).limit(1)


async def guests(storage: Storage, *, limit: int) -> list[str]:
    """Return the first ids of guests, `limit` at the most."""
    model = storage.model("Agent")
    query = select(model.id).where(model.is_guest).order_by(model.id).limit(limit)
    return await storage.read(lambda session: list(session.scalars(query)))


async def guest(storage: Storage, agent_id: str) -> AgentConfig | None:
    """Return a guest; None when there is none of that id."""
    model = storage.model("Agent")
    query = select(model.persona).where(model.id == agent_id, model.is_guest)
    persona = await storage.read(lambda session: session.scalar(query))
    if persona is None:
        return None
    return AgentConfig.model_validate(persona, context={KEPT: True})
