"""Identifiers, as they are handed to everything that makes rows."""

import uuid
from collections.abc import Callable
from typing import TypeAlias

IdFactory: TypeAlias = Callable[[], str]
"""Returns a new identifier at each call, never the same one twice."""


def random_uuid() -> str:
    """Return a random UUID in its usual form of 36 characters."""
    return str(uuid.uuid4())
