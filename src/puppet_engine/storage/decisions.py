"""Decisions as rows: why each turn did what it did, linked to what it wanted done outside."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Insert, Select, func, insert, or_, select
from sqlalchemy.orm import Session

from puppet_engine.core.circumstances import folded
from puppet_engine.core.decisions import Decision, StoredDecision
from puppet_engine.core.errors import (
    DecisionNotFoundError,
    DecisionTidiedAwayError,
    PuppetEngineError,
)
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import Row, Whose, person_of

FAST: Final = 1
"""How hard zlib tries: a prompt is deflated in each turn, and seldom read."""


def decision_rows(
    decision: Decision | None,
    *,
    agent_id: str,
    event_id: str | None,
    intents: Sequence[str],
    at: datetime,
) -> list[dict[str, Any]]:
    """Return the rows of a decision: one for each thing that it wanted done, or one alone."""
    if decision is None:
        return []
    row = {
        "agent_id": agent_id,
        "event_id": event_id,
        "at": at,
        "acts": ",".join(decision.acts),
        "told": decision.model_dump(mode="json", exclude={"prompt"}, exclude_defaults=True),
        "prompt": zlib.compress(decision.prompt.encode(), FAST) if decision.prompt else None,
    }
    wanted: Sequence[str | None] = intents or [None]
    return [{**row, "intent_id": intent_id} for intent_id in wanted]


def of_decisions(rows: Iterable[Row]) -> Whose:
    """Return rows of decisions, each with the handle of whom it was about."""
    return [(row, _person(row["told"])) for row in rows]


def _person(told: Mapping[str, Any]) -> str | None:
    relationship = told.get("relationship")
    return folded(relationship["handle"]) if relationship else person_of({}, told["why"])


def new_decision(storage: Storage) -> Insert:
    """Return the statement that keeps the row of a decision."""
    return insert(storage.model("Decision").__table__)


class StoredDecisions:
    """What is kept of why agents did what they did."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def of_agent(
        self, agent_id: str, *, before: int | None = None, limit: int
    ) -> list[StoredDecision]:
        """Return a page of an agent's decisions, newest first, from before a number on."""
        model = self._storage.model("Decision")
        query = select(model).where(model.agent_id == agent_id)
        if before is not None:
            query = query.where(model.sequence < before)
        return await self._read(query.order_by(model.sequence.desc()).limit(limit))

    async def why(self, of: str) -> StoredDecision:
        """Return the decision that led to a post, an intent or out of an event, by its id.

        Raises:
            DecisionTidiedAwayError: what it led to is kept, and it is not any more.
            DecisionNotFoundError: neither is.

        """
        model, intent = self._storage.model("Decision"), self._storage.model("Intent")
        for query in (
            select(model).where(model.intent_id == of),
            select(model).where(model.event_id == of),
            # Not by an index: only people ask, and few of them.
            select(model).where(model.intent_id.in_(select(intent.id).where(intent.result == of))),
        ):
            if found := await self._read(query.order_by(model.sequence).limit(1)):
                return found[0]
        raise await self._missing(of)

    async def _missing(self, of: str) -> PuppetEngineError:
        """Return what there is to say of a decision that is not kept."""
        decision, intent = self._storage.model("Decision"), self._storage.model("Intent")
        done = select(intent.agent_id, intent.kind, intent.created_at).where(
            or_(intent.id == of, intent.result == of)
        )
        oldest = select(func.min(decision.at))

        def work(session: Session) -> PuppetEngineError:
            if (known := session.execute(done.limit(1)).first()) is not None:
                agent_id, kind, at = known
                return DecisionTidiedAwayError(of, agent_id=agent_id, kind=kind, at=at)
            return DecisionNotFoundError(of, oldest=session.scalar(oldest))

        return await self._storage.read(work)

    async def _read(self, query: Select[Any]) -> list[StoredDecision]:
        return await self._storage.read(
            lambda session: [_decision(row) for row in session.scalars(query)]
        )


def read_prompt(kept: bytes | None) -> str:
    """Return a prompt as it was asked; empty when there was none."""
    return "" if kept is None else zlib.decompress(kept).decode()


def _decision(row: Any) -> StoredDecision:
    return StoredDecision.model_validate(
        {
            **row.told,
            "prompt": read_prompt(row.prompt),
            "number": row.sequence,
            "agent_id": row.agent_id,
            "event_id": row.event_id,
            "intent_id": row.intent_id,
            "at": row.at,
        }
    )
