"""Identifiers, as they are handed to everything that makes a new thing."""

import random
import uuid
from collections.abc import Callable
from typing import NewType

AgentId = NewType("AgentId", str)
EventId = NewType("EventId", str)
MemoryId = NewType("MemoryId", str)
PostId = NewType("PostId", str)
IntentId = NewType("IntentId", str)
ScheduleId = NewType("ScheduleId", str)

IdFactory = Callable[[], str]
"""Returns a new identifier at each call, never the same twice."""


def random_id() -> str:
    """Return a random UUID (RFC 9562, version 4)."""
    return str(uuid.uuid4())


def seeded_ids(seed: int | str) -> IdFactory:
    """Return a factory of UUIDs that gives the same sequence for the same seed."""
    chance = random.Random(f"ids:{seed}")  # noqa: S311 - names, not secrets

    def new_id() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    return new_id
