"""What an agent knows on its first day."""

from puppet_engine.core.models import AgentConfig, Memory, MemoryType


def first_memories(config: AgentConfig) -> list[Memory]:
    """Return the memories that a persona brings with it."""
    known = config.initial_memory
    core = [
        Memory(content=text, type=MemoryType.CORE, importance=1.0, metadata={"source": "persona"})
        for text in known.core_memories
    ]
    recent = [
        Memory(content=text, type=MemoryType.RECENT, metadata={"source": "persona"})
        for text in known.recent_events
    ]
    knowledge = [
        Memory(content=text, importance=0.7, metadata={"source": "persona"})
        for text in known.knowledge
    ]
    friends = [
        Memory(
            content=f"I know @{friend.handle}. {friend.attitude}".strip(),
            type=MemoryType.RELATIONSHIP,
            importance=0.8,
            metadata={"source": "persona", "handle": friend.handle},
        )
        for friend in known.relationships
    ]
    return [*core, *recent, *knowledge, *friends]
