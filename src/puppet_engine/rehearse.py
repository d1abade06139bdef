"""A life under a virtual clock, from its first to its last hour, as fast as the machine can."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.models import Event
from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app
from puppet_engine.simulation.digests import digest
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.surroundings import IN_MEMORY


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a rehearsal came to."""

    posts: int
    replies: int
    memories: int
    events: int
    errors: int
    virtual_hours: float
    wall_seconds: float
    digest: str
    """SHA-256 of everything said: when, by whom, what, and in answer to what."""
    utterances: list[dict[str, Any]]


@dataclass
class _Listener:
    """Writes down what is said."""

    events: int = 0
    failures: int = 0
    replies: int = 0
    utterances: list[dict[str, Any]] = field(default_factory=list)

    async def hear(self, event: Event) -> None:
        self.events += 1
        if event.type == "agent.failed":
            self.failures += 1
        if event.type == "post.published":
            kept = ("handle", "text", "post_id", "in_reply_to")
            said = {name: event.payload[name] for name in kept}
            # What goes on under a post of one's own answers nobody.
            self.replies += said["in_reply_to"] is not None and "part" not in event.payload
            self.utterances.append({"at": event.due_at.isoformat(), **said})

    def digest(self) -> str:
        """Return the SHA-256 of everything said, in hexadecimal digits."""
        return digest(json.dumps(said, sort_keys=True) for said in self.utterances)


async def rehearse(
    settings: Settings, *, hours: float, seed: int, progress: Callable[[float], None]
) -> Report:
    """Let the whole cast live `hours` virtual hours in memory, in a world of its own.

    The world's brain speaks for everybody, whatever keys are set: a rehearsal costs nothing.
    `progress` is told the share, 0 to 1, that is over.

    Raises:
        ConfigurationError: personas or models cannot be used, or there are no personas.

    """
    began = time.perf_counter()
    settings = settings.model_copy(
        update={
            "database_url": IN_MEMORY,
            "world_database_url": None,
            "seed": seed,
            "llm_provider": "rehearsal",
            # One turn after the other, so that the same seed is the same life.
            "concurrency": 1,
        }
    )
    clock = VirtualClock(FIRST_MOMENT)
    app = create_app(settings, clock=clock, ids=seeded_ids(seed))
    await app.assemble()
    listener = _Listener()
    try:
        if not app.agent_manager.agents:
            raise ConfigurationError(
                f"nobody is there to rehearse, for {settings.agents_dir} has no personas: write "
                'one to a file in it, such as moth.json with {"id": "moth", "name": "Moth"}, '
                "or name another folder by --agents"
            )
        unsubscribe = app.event_engine.subscribe("*", listener.hear)
        for hour in _hours(hours):
            await app.event_engine.run_until(FIRST_MOMENT + timedelta(hours=hour))
            progress(hour / hours)
        unsubscribe()
        memories = [
            len(await app.memory_store.get_memories(agent_id, limit=1_000_000))
            for agent_id in app.agent_manager.agents
        ]
    finally:
        await app.shutdown()
    replies = listener.replies
    return Report(
        posts=len(listener.utterances) - replies,
        replies=replies,
        memories=sum(memories),
        events=listener.events,
        errors=app.event_engine.failed_turns + listener.failures,
        virtual_hours=(clock.now() - FIRST_MOMENT) / timedelta(hours=1),
        wall_seconds=round(time.perf_counter() - began, 3),
        digest=listener.digest(),
        utterances=listener.utterances,
    )


def _hours(hours: float) -> list[float]:
    """Return the ends of the steps in which `hours` pass: each full hour, and the rest."""
    whole = [float(hour) for hour in range(1, int(hours) + 1)]
    return whole if hours == int(hours) else [*whole, hours]
