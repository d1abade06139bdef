"""What a question asks: one thing, or several that different turns answer."""

import re
from dataclasses import dataclass
from typing import Final

from puppet_engine.memory.words import searched

_DESCRIBED: Final = re.compile(
    r"\b(?:the\s+)?(?:person|people|one|friend|somebody|someone|anybody|anyone|man|woman|guy"
    r"|girl|boy|colleague|neighbou?r)\s+(?:who|that)\s+",
    re.IGNORECASE,
)
_AND_ASKED: Final = re.compile(
    r"[,;]?\s+and\s+(?=(?:what|who|whom|whose|where|when|why|how|which)\b)", re.IGNORECASE
)
_WHEN: Final = re.compile(
    r"\bwhen(?=\s*[?.,]|\s+(?:am|is|are|was|were|do|does|did|has|have|had|will|would|can|could"
    r"|shall|should|might)\b|\s+and\b|\s*$)",
    re.IGNORECASE,
)
"""Not in `what do you play when nobody listens`, where it asks for no time."""


_TO_REMEMBER: Final = re.compile(
    r"\b(?:remember|recall|remind\s+me)\b[^.!]*\?"
    r"|\b(?:what|who|whom|where|when|why|which|how)\b[^.?!]*\b(?:did|have|has|had)\b[^.?!]*"
    r"\b(?:say|said|tell|told|mention|mentioned|write|wrote|written|promised?|talk(?:ed)?"
    r"|spoken?|speak)\b[^.!]*\?"
    r"|\b(?:did|have|has|had)\s+(?:[@\w'-]+\s+){1,3}(?:say|said|tell|told|mention|mentioned"
    r"|promised?)\b[^.!]*\?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in its parts."""

    parts: tuple[str, ...]
    """What is searched for, each by itself; one at least."""
    description: str | None = None
    """The part that describes somebody instead of naming them."""
    is_when: bool = False
    """Whether it asks for a time."""


def asked_in(question: str) -> Asked:
    """Return the parts of a question.

    `What is the dog of the person who plays the cello called?` asks for the dog, and for who
    plays the cello; `What did he buy, and why did he leave?` for two things.
    """
    is_when = _WHEN.search(question) is not None
    described = _DESCRIBED.search(question)
    if described is None:
        parts = [part for part in _AND_ASKED.split(question) if part.strip()]
        return Asked(tuple(map(searched, parts)) or (searched(question),), is_when=is_when)
    description = searched(question[described.end() :])
    return Asked((searched(question[: described.start()]), description), description, is_when)


def asks_to_remember(text: str) -> bool:
    """Return whether a text asks for what was said or promised: only memory can answer it."""
    return _TO_REMEMBER.search(text) is not None
