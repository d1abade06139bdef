"""What comes to an agent's mind during a turn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from puppet_engine.agents.actions import Turn
from puppet_engine.agents.agent import Agent
from puppet_engine.core.circumstances import folded
from puppet_engine.core.clock import Clock
from puppet_engine.core.decisions import Recalled
from puppet_engine.core.models import EventDraft, Memory, StoredMemory
from puppet_engine.memory.asking import asks_to_remember

RECALLED: Final = 5
"""How many memories a prompt holds."""

LOOKED_BACK: Final = 60
"""Among how many of its last memories an agent looks for its own words."""

OWN_WORDS: Final = "own_words"
"""The metadata key under which a memory holds what the agent itself has published …"""

ANSWERED: Final = "reply_to_handle"
"""… and that under which it holds whom that answers."""


async def recall(turn: Turn, cue: str) -> list[Recalled]:
    """Return what the agent remembers at a cue, best first."""
    found = await turn.memory.search_memories(turn.agent.id, cue, limit=RECALLED)
    return _recalled(found)


async def recall_for(turn: Turn, cue: str, question: str) -> tuple[list[Recalled], bool]:
    """Return what the agent remembers at a cue, and whether it must doubt that this answers.

    It doubts only where a question asks for what was said or promised: any other may be answered
    without a memory.
    """
    if not asks_to_remember(question):
        return await recall(turn, cue), False
    found = await turn.memory.recollect(turn.agent.id, cue, question=question, limit=RECALLED)
    return _recalled(found.memories), not found.knows


def _recalled(memories: Sequence[StoredMemory]) -> list[Recalled]:
    return [Recalled(id=memory.id, content=memory.content) for memory in memories]


async def remembered_lately(turn: Turn) -> Sequence[StoredMemory]:
    """Return what the agent remembers last, newest first."""
    return await turn.memory.get_memories(turn.agent.id, limit=LOOKED_BACK)


def own_words(lately: Sequence[StoredMemory]) -> list[str]:
    """Return what the agent itself has published, of what it remembers last."""
    return [str(memory.metadata[OWN_WORDS]) for memory in lately if OWN_WORDS in memory.metadata]


def answers_to(handle: str, lately: Sequence[StoredMemory], *, since: datetime) -> int:
    """Return how often the agent has answered somebody since a moment, in whatever conversation.

    As far as it is among what the agent remembers last.
    """
    who = folded(handle)
    return sum(
        folded(str(memory.metadata[ANSWERED])) == who and memory.created_at >= since
        for memory in lately
        if ANSWERED in memory.metadata and OWN_WORDS in memory.metadata
    )


def memory_kept(agent: Agent, memory: Memory, clock: Clock) -> EventDraft:
    """Return the event that tells those who watch of a new memory."""
    payload = {"handle": agent.handle, "type": memory.type.value, "content": memory.content}
    return EventDraft(type="memory.kept", due_at=clock.now(), agent_id=agent.id, payload=payload)
