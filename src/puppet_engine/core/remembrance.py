"""What is known of a memory when it is decided whether it may go."""

from dataclasses import dataclass
from datetime import datetime

from puppet_engine.core.provenance import Trust


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembrance:
    """A memory, and how it was used."""

    id: str
    content: str
    type: str
    importance: float
    """From 0 to 1."""
    moment: datetime
    """When it occurred."""
    speaker: str | None = None
    trust: Trust = Trust.OPERATOR
    uses: int = 0
    """How often it came to mind in a turn."""
    used_at: datetime | None = None
    """When it did last."""
