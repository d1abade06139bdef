"""What comes to mind, and what is to be thought of it."""

from dataclasses import dataclass

from puppet_engine.core.models import StoredMemory
from puppet_engine.core.provenance import Disagreement
from puppet_engine.memory.knowing import ENOUGH


@dataclass(frozen=True, kw_only=True)
class Recollection:
    """Memories, best first, with how sure one may be that they answer."""

    memories: tuple[StoredMemory, ...]
    certainty: float
    """From 0 to 1; `ENOUGH` divides knowing from guessing."""
    disagreements: tuple[Disagreement, ...] = ()
    """Which of them say what others of them, or ones beside, say otherwise."""

    @property
    def knows(self) -> bool:
        """Whether the agent knows; else it should say that it does not."""
        return self.certainty >= ENOUGH
