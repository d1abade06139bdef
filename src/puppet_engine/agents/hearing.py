"""What of a turn may be remembered, and what came to mind in it."""

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.core.circumstances import Circumstances, folded
from puppet_engine.core.ids import MemoryId
from puppet_engine.core.models import Memory, Quarantined, StoredMemory, TurnOutcome
from puppet_engine.core.provenance import LinkKind, MemoryLink, Trust, trust_of
from puppet_engine.memory.base import MemoryStore
from puppet_engine.memory.forgetting import LettingGo
from puppet_engine.memory.recollection import Recollection
from puppet_engine.memory.words import words
from puppet_engine.memory.write_gate import ALIKE, alike, reasons_against

LOOKED_BACK: Final = 60
"""Among how many of its last memories an agent looks for what it hears."""


async def admitted(outcome: TurnOutcome, *, agent: Agent, memory: MemoryStore) -> TurnOutcome:
    """Return the outcome of a turn with what may not become a memory put into quarantine."""
    heard = [_trusted(one, agent) for one in outcome.memories]
    if not any(trust_of(one.metadata).is_hearsay for one in heard):
        return outcome
    lately = await memory.get_memories(agent.id, limit=LOOKED_BACK)
    judged = [(one, reasons_against(one, lately)) for one in heard]
    held = tuple(Quarantined(memory=one, reasons=why) for one, why in judged if why)
    kept = tuple(one for one, why in judged if not why)
    return outcome.model_copy(
        update={"memories": kept, "quarantined": (*outcome.quarantined, *held)}
    )


def sourced(outcome: TurnOutcome, recalled: Mapping[MemoryId, StoredMemory]) -> TurnOutcome:
    """Return the outcome of a turn with what came to mind in it.

    What the agent made of that has links to it, unless it says itself of what it was made. What
    only repeats it is no new memory, but a use of the old one.
    """
    known = [frozenset(words(one.content)) for one in recalled.values()]
    links = tuple(MemoryLink(kind=LinkKind.RECALLED_FROM, to=one) for one in recalled)
    kept = []
    for memory in outcome.memories:
        if trust_of(memory.metadata) is not Trust.DERIVED:
            kept.append(memory)
        elif not any(_repeats(frozenset(words(memory.content)), other) for other in known):
            kept.append(memory.model_copy(update={"links": memory.links or links}))
    ids = tuple(dict.fromkeys((*outcome.recalled, *recalled)))
    return outcome.model_copy(update={"memories": tuple(kept), "recalled": ids})


def _repeats(new: frozenset[str], known: frozenset[str]) -> bool:
    """Tell whether words say nothing that others do not: the same, or a part of them."""
    return new <= known or alike(new, known) >= ALIKE


def _trusted(memory: Memory, agent: Agent) -> Memory:
    """Return what a stranger said as what an acquaintance did, where the persona knows them."""
    if trust_of(memory.metadata) is not Trust.STRANGER:
        return memory
    speaker = Circumstances.of(memory.metadata).speaker
    friends = {folded(one.handle) for one in agent.config.initial_memory.relationships}
    if speaker not in friends:
        return memory
    told = {**memory.metadata, "trust": Trust.ACQUAINTANCE.value}
    return memory.model_copy(update={"metadata": told})


class Noting(MemoryStore):
    """Another store, for one turn of one agent, of which is noted what comes to mind.

    What the agent remembers last is read once: its memories change when the turn ends.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lately: dict[tuple[str, int], list[StoredMemory]] = {}
        self.recalled: dict[MemoryId, StoredMemory] = {}

    @override
    async def initialize(self) -> None:
        await self._store.initialize()

    @override
    async def close(self) -> None:
        await self._store.close()

    @override
    async def add_memory(self, agent_id: str, memory: Memory) -> str:
        self._lately.clear()
        return await self._store.add_memory(agent_id, memory)

    @override
    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        if (agent_id, limit) not in self._lately:
            found = await self._store.get_memories(agent_id, limit=limit)
            self._lately[agent_id, limit] = found
        return self._lately[agent_id, limit]

    @override
    async def search_memories(
        self, agent_id: str, query: str, *, limit: int = 10
    ) -> list[StoredMemory]:
        found = await self._store.search_memories(agent_id, query, limit=limit)
        self.recalled |= {one.id: one for one in found}
        return found

    @override
    async def recollect(
        self, agent_id: str, query: str, *, question: str | None = None, limit: int = 10
    ) -> Recollection:
        found = await self._store.recollect(agent_id, query, question=question, limit=limit)
        self.recalled |= {one.id: one for one in found.memories}
        return found

    @override
    async def delete_memory(self, agent_id: str, memory_id: str) -> None:
        self._lately.clear()
        await self._store.delete_memory(agent_id, memory_id)

    @override
    async def letting_go(self, agent_id: str) -> LettingGo:
        return await self._store.letting_go(agent_id)
