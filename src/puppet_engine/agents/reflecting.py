"""Once a day, in a turn of its own: what an agent makes of what it heard, and what it lets go."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from typing_extensions import override

from puppet_engine.agents.actions import Action, Turn
from puppet_engine.core.models import EventDraft, IntentKind, Priority, TurnOutcome
from puppet_engine.core.provenance import Trust, trust_of
from puppet_engine.memory.reflection import beliefs

EVERY: Final = timedelta(days=1)
LOOKED_BACK: Final = 200
"""How many of its last memories an agent looks at."""


class Reflecting(Action):
    """Draws beliefs from what others said since the last time, and makes room."""

    event_type: ClassVar[str] = "reflection.due"
    wants: ClassVar[frozenset[IntentKind]] = frozenset()

    @override
    def routine(self, turn: Turn, *, first: bool) -> EventDraft:
        # Agents sleep at different hours, lest they all do at once for ever.
        spread = turn.chance.uniform(0.9, 1.1)
        return EventDraft(
            type=self.event_type,
            due_at=turn.clock.now() + EVERY * spread,
            agent_id=turn.agent.id,
            payload={"since": turn.clock.now().isoformat()},
            priority=Priority.LOW,
        )

    @override
    async def take(self, turn: Turn) -> TurnOutcome:
        now = turn.clock.now()
        since = datetime.fromisoformat(str(turn.payload.get("since") or (now - EVERY).isoformat()))
        lately = await turn.memory.get_memories(turn.agent.id, limit=LOOKED_BACK)
        heard = [one for one in lately if one.created_at >= since]
        known = {one.content for one in lately if trust_of(one.metadata) is Trust.DERIVED}
        believed = beliefs(heard, known=known, now=now)
        for belief in believed:
            # What was believed long ago comes to mind by this, and so it is not kept again.
            await turn.memory.search_memories(turn.agent.id, belief.content, limit=1)
        room = await turn.memory.letting_go(turn.agent.id)
        return TurnOutcome(
            memories=(*believed, *room.digests),
            forgotten=room.ids,
        )
