"""The face of somebody who has no picture: initials on a colour of their own."""

import zlib
from dataclasses import dataclass
from typing import Final

HUES: Final = 18
"""How many colours the style sheet has for faces."""


@dataclass(frozen=True)
class Face:
    """How somebody is shown. The same handle has the same colour everywhere, always."""

    name: str
    handle: str

    @property
    def initials(self) -> str:
        """The first letters of the first and the last word, or what there is."""
        words = [word for word in self.name.split() if word[0].isalnum()]
        if not words:
            return (self.handle[:1] or "?").upper()
        ends = words if len(words) == 1 else [words[0], words[-1]]
        return "".join(word[0] for word in ends).upper()

    @property
    def hue(self) -> int:
        """Which of the `HUES` colours."""
        return zlib.crc32(self.handle.lower().encode()) % HUES
