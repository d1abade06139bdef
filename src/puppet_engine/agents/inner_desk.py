"""What operators ask of the inside of agents: moods, people, facts, and what is kept apart."""

from datetime import datetime

from puppet_engine.agents.mind import Mind
from puppet_engine.agents.relationships import at_rest, faded, key_of
from puppet_engine.core.circumstances import folded
from puppet_engine.core.clock import Clock
from puppet_engine.core.facts import Fact
from puppet_engine.core.inner_views import MoodView
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.relationships import Relationship
from puppet_engine.storage import facts, mind_pages, quarantine
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.quarantine import HeldMemory


class InnerDesk:
    """Looks into agents, as their rows have it at the moment of a clock."""

    def __init__(self, storage: Storage, *, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    # -------------------------------------------------------------- feelings

    async def mood(
        self, config: AgentConfig, *, before: int | None = None, limit: int
    ) -> MoodView:
        """Return what an agent feels now, and a page of what moved it, newest first."""
        kept = await StoredLedger(self._storage).mind(config.id)
        # What it has not heard of yet does not move it before its next turn.
        known = kept.model_copy(update={"tidings": ()})
        mind = Mind(config, known, now=self._clock.now())
        moments = await mind_pages.mood_moments(
            self._storage, config.id, before=before, limit=limit
        )
        return MoodView(
            agent_id=config.id, name=mind.mood_name, mood=mind.mood, moments=tuple(moments)
        )

    async def relationships(
        self, config: AgentConfig, *, after: str = "", limit: int
    ) -> list[Relationship]:
        """Return a page of how an agent stands with others now, by their handles."""
        now, after = self._clock.now(), key_of(after)
        kept = await mind_pages.relationships(self._storage, config.id, after=after, limit=limit)
        known = {one.handle: one for one in kept}
        friends = (key_of(one.handle) for one in config.initial_memory.relationships)
        handles = sorted({*known, *(handle for handle in friends if handle > after)})[:limit]
        resting = {handle: at_rest(config, handle, now) for handle in handles}
        return [faded(known.get(handle, rest), rest, now) for handle, rest in resting.items()]

    # -------------------------------------------------------------- what it knows

    async def facts(
        self,
        agent_id: str,
        subject: str | None = None,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> list[Fact]:
        """Return what an agent knows of somebody, or of all: then, as far as was known then."""
        of = None if subject is None else folded(subject)
        return await facts.facts(self._storage, agent_id, of, as_of=as_of, known_at=known_at)

    # -------------------------------------------------------------- what is kept apart

    async def quarantined(self, agent_id: str, *, limit: int) -> list[HeldMemory]:
        """Return what an agent was told and does not remember, newest first."""
        return await quarantine.held(self._storage, agent_id=agent_id, limit=limit)

    async def release(self, agent_id: str, quarantined_id: str) -> str:
        """Let it become a memory, and return the id of that; raises QuarantinedNotFoundError."""
        return await quarantine.release(self._storage, quarantined_id, agent_id=agent_id)

    async def reject(self, agent_id: str, quarantined_id: str) -> None:
        """Delete it; raises QuarantinedNotFoundError."""
        await quarantine.discard(self._storage, quarantined_id, agent_id=agent_id)
