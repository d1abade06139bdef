"""Facts as rows: what is known of people, in two times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Table, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from puppet_engine.core.circumstances import Circumstances, folded
from puppet_engine.core.claims import claims_of
from puppet_engine.core.facts import Claim, Fact, Revision, revised
from puppet_engine.core.models import Memory
from puppet_engine.core.provenance import LinkKind, MemoryLink, trust_of
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.people import identify


@dataclass(frozen=True, slots=True)
class Told:
    """A claim, and the memory that holds it."""

    agent_id: str
    memory_id: str
    claim: Claim


def told_in(storage: Storage, agent_id: str, memory_id: str, memory: Memory) -> list[Told]:
    """Return what the words of a memory claim: those that others, or the operator, have given."""
    said = Circumstances.of(memory.metadata)
    if said.speaker is None or not _counts(memory):
        return []
    at = said.occurred_at or storage.clock.now()
    found = claims_of(_words_of(memory.content), speaker=said.speaker, at=at)
    return [Told(agent_id, memory_id, claim) for claim in found]


def _counts(memory: Memory) -> bool:
    return trust_of(memory.metadata) != "derived"


def _words_of(content: str) -> str:
    """Return what was said, without who said it to whom."""
    head, _, words = content.partition(": ")
    return words if head.startswith(("@", "I answered @")) and words else content


def keep_claims(
    session: Session, storage: Storage, told: Iterable[Told]
) -> list[tuple[str, str, MemoryLink]]:
    """Make facts of claims, and return the links that follow: agent, memory and link."""
    links = []
    for one in told:
        known = _current(session, storage, one)
        now = storage.clock.now()
        revision = revised(known, one.claim, evidence=one.memory_id, now=now)
        _store(session, storage, one.agent_id, revision)
        others = {
            LinkKind.SUPERSEDES: revision.superseded,
            LinkKind.CONTRADICTS: revision.contradicted,
        }
        links += [
            (one.agent_id, one.memory_id, MemoryLink(kind=kind, to=other))
            for kind, ids in others.items()
            for other in ids
            if other != one.memory_id
        ]
    return links


async def facts(
    storage: Storage,
    agent_id: str,
    subject: str | None = None,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Fact]:
    """Return what an agent knows of somebody, or of all, in the order in which it came to know.

    What was so `as_of` a moment, or else is so now; as far as was known at a moment, or is now.
    """
    table = _table(storage)
    now = storage.clock.now()
    valid, known = as_of or now, known_at or now
    query = (
        select(table)
        .where(table.c.agent_id == agent_id)
        .where(table.c.valid_from <= valid)
        .where(or_(table.c.valid_to.is_(None), table.c.valid_to > valid))
        .where(table.c.known_from <= known)
        .where(or_(table.c.known_to.is_(None), table.c.known_to > known))
        .order_by(table.c.number)
    )
    if subject is not None:
        query = query.where(table.c.subject == subject)
    return await storage.read(
        lambda session: [
            _fact(row) for row in storage.opened(table, session.connection().execute(query))
        ]
    )


def _current(session: Session, storage: Storage, told: Told) -> list[Fact]:
    given = {
        "agent": told.agent_id,
        "of": told.claim.subject,
        "what": told.claim.attribute,
    }
    rows = session.connection().execute(storage.statement(_known), given)
    return [_fact(row) for row in storage.opened(_table(storage), rows)]


def _known(storage: Storage) -> Any:
    table = _table(storage)
    return (
        select(table)
        .where(table.c.agent_id == bindparam("agent"))
        .where(table.c.subject == bindparam("of"))
        .where(table.c.attribute == bindparam("what"))
        .where(table.c.known_to.is_(None))
    )


def _store(session: Session, storage: Storage, agent_id: str, revision: Revision) -> None:
    connection, table = session.connection(), _table(storage)
    for fact in revision.ended:
        connection.execute(
            update(table).where(table.c.id == fact.id).values(known_to=fact.known_to)
        )
    if revision.confirmed is not None:
        evidence = list(revision.confirmed.evidence)
        connection.execute(
            update(table).where(table.c.id == revision.confirmed.id).values(evidence=evidence)
        )
    if revision.begun:
        rows = [_row(storage, agent_id, fact) for fact in revision.begun]
        identify(session, storage, [(row, folded(row["subject"])) for row in rows])
        connection.execute(storage.statement(_new), rows)


def _new(storage: Storage) -> Insert:
    return insert(_table(storage))


def _row(storage: Storage, agent_id: str, fact: Fact) -> dict[str, Any]:
    return {
        "id": storage.ids(),
        "agent_id": agent_id,
        "subject": fact.subject,
        "attribute": fact.attribute,
        "value": fact.value,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
        "known_from": fact.known_from,
        "known_to": fact.known_to,
        "evidence": list(fact.evidence),
    }


def _fact(row: Any) -> Fact:
    evidence: Sequence[str] = row.evidence
    return Fact(
        id=row.id,
        subject=row.subject,
        attribute=row.attribute,
        value=row.value,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        known_from=row.known_from,
        known_to=row.known_to,
        evidence=tuple(evidence),
    )


def _table(storage: Storage) -> Table:
    table: Table = storage.model("Fact").__table__
    return table
