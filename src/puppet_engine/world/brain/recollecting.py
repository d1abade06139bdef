"""What somebody has told of themselves, when they ask for it: read in what comes to mind."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from puppet_engine.core.circumstances import folded
from puppet_engine.core.claims import claims_of

_IS: Final = r"(?:\s+is|'s|\u2019s)"
_ASKED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), attribute)
    for pattern, attribute in (
        (r"\bwhere\s+do\s+I\s+live\b|\bwh(?:at|ich)\s+(?:city|town)\s+do\s+I\s+live\b", "home"),
        (r"\bwhat\s+do\s+I\s+do\b|\bwhat" + _IS + r"\s+my\s+job\b", "job"),
        (r"\bwhere\s+do\s+I\s+work\b|\bwhom?\s+do\s+I\s+work\s+for\b", "employer"),
        (r"\bwhat" + _IS + r"\s+my\s+name\b", "name"),
        (r"\bwhen" + _IS + r"\s+my\s+birthday\b", "birthday"),
        (r"\bwhat" + _IS + r"\s+my\s+favou?rite\s+(?P<what>[a-z][a-z -]*[a-z])", "favourite {}"),
        (r"\bwhat" + _IS + r"\s+my\s+(?P<what>\w+)\s+(?:called|named)\b", "name of {}"),
        (r"\bwhat" + _IS + r"\s+my\s+(?P<what>\w+)['\u2019]s\s+name\b", "name of {}"),
        (r"\bwhat" + _IS + r"\s+the\s+name\s+of\s+my\s+(?P<what>\w+)", "name of {}"),
    )
)
_HEARD: Final = re.compile(r"@(?P<who>\S+) said to me: (?P<what>.*)")
_SOMETIME: Final = datetime.min.replace(tzinfo=UTC)
"""A memory in a prompt does not say when it was."""


def told_before(question: str, *, asker: str, memories: Sequence[str]) -> list[str]:
    """Return what the asker has told of that which they ask for; nothing, if they ask for none.

    Each once, in the order of the memories: of what has changed there are several.
    """
    attribute = _attribute_in(question)
    if attribute is None:
        return []
    heard = (match for memory in memories if (match := _HEARD.match(memory)))
    claims = [
        claim.value
        for match in heard
        if folded(match["who"]) == folded(asker)
        for claim in claims_of(match["what"], speaker=asker, at=_SOMETIME)
        if claim.attribute == attribute
    ]
    return list(dict.fromkeys(claims))


def _attribute_in(question: str) -> str | None:
    for pattern, attribute in _ASKED:
        if found := pattern.search(question):
            return attribute.format(*found.groupdict().values()).casefold()
    return None
