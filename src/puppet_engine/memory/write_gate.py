"""What of that which others say may become a memory. Pure.

What is held back is not lost: it lies in quarantine, where the operator sees it and may release
it. A plain `add_memory` does not come here: who has the store may keep what they want.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.core.provenance import Reason, Trust, trust_of
from puppet_engine.memory.words import words
from puppet_engine.style.safety import SafetyFilter

ALIKE: Final = 0.9
"""From which share of common words on two texts say the same (Jaccard index of their stems)."""
ROUNDS: Final = 2
"""How often something nearly the same was said in a talk before it is a loop."""

_ALIKE_IN_ROUNDS: Final = 0.7
_SHORTEST: Final = 3
"""Shorter greetings are said every day."""

_INVISIBLE: Final = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_INSTRUCTIONS: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|the|any)\b"
    r".{0,30}\b(?:instructions?|prompts?|rules?|guidelines?|directions?|programming|orders?|context)\b"
    r"|\b(?:system|developer|hidden|initial)\s+(?:prompt|message|instructions?)\b"
    r"|\b(?:reveal|print|repeat|show|leak|tell\s+me|output)\b.{0,30}\b(?:your|the)\b.{0,20}"
    r"\b(?:prompt|instructions?|private\s+key|seed\s+phrase|api\s+key|password|secret)\b"
    r"|\b(?:you\s+are|you're)\s+now\s+(?:(?:an?|the|my)\s+(?:\S+\s+){0,3}"
    r"(?:assistant|ai|bot|model|persona|character|terminal|admin)|free|unrestricted|dan|in\s+\S+\s+mode)\b"
    r"|\bfrom\s+now\s+on\b.{0,20}\b(?:you|your|always|never|respond|reply|answer|act)\b"
    r"|\b(?:pretend|act|behave|respond|roleplay)\b.{0,15}\b(?:to\s+be|as\s+if|as\s+(?:a|an|my)|like\s+(?:a|an))\b"
    r"|(?:^|[.!?:]\s+|please\s+|must\s+)(?:remember|store|save|note|memori[sz]e)\b.{0,30}"
    r"\b(?:that\s+you\s+(?:are|must|should|have|owe|promised|always|never)|in\s+your\s+memory)\b"
    r"|\b(?:send|transfer|swap|buy|sell|airdrop|withdraw)\b.{0,20}\b\d[\d.,]*\s*(?:sol|eth|btc|usdc|usdt|tokens?|coins?)\b"
    r"|\b(?:jailbreak|dan\s+mode|developer\s+mode|god\s+mode|sudo\s+mode)\b"
    r"|<\|?\s*(?:im_start|im_end|system|endoftext|assistant)\b|\[/?inst\]|^\s*#+\s*(?:system|instructions?)\b"
    r"|^\s*(?:system|assistant)\s*:",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)

_SAFETY: Final = SafetyFilter()


def reasons_against(memory: Memory, lately: Sequence[StoredMemory]) -> tuple[Reason, ...]:
    """Return why something that was heard may not become a memory; nothing when it may.

    `lately` is what the agent remembers last, in any order. What nobody else has said passes.
    """
    trust = trust_of(memory.metadata)
    if not trust.is_hearsay:
        return ()
    said = _said(memory)
    found = [
        *([Reason.SECRET] if _holds_secret(said) else []),
        *([Reason.INSTRUCTION] if trust is Trust.STRANGER and instructs(said) else []),
        *_repeats(memory, said, lately),
    ]
    return tuple(found)


def instructs(text: str) -> bool:
    """Tell whether a text speaks to the agent as one speaks to a machine."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _INSTRUCTIONS.search(plain) is not None


def alike(one: Sequence[str], other: Sequence[str]) -> float:
    """Return which share of the words of two texts both have: 1 when they have the same."""
    mine, theirs = frozenset(one), frozenset(other)
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 1.0


def _repeats(memory: Memory, said: str, lately: Sequence[StoredMemory]) -> list[Reason]:
    spoken = words(said)
    if len(spoken) < _SHORTEST:
        return []
    likeness = [(one, alike(spoken, words(_said(one)))) for one in lately]
    same = [trust_of(one.metadata) for one, share in likeness if share >= ALIKE]
    talk = memory.metadata.get("conversation_id")
    rounds = sum(
        share >= _ALIKE_IN_ROUNDS and one.metadata.get("conversation_id") == talk
        for one, share in likeness
        if talk is not None
    )
    found = []
    if any(trust.is_hearsay for trust in same):
        found.append(Reason.DUPLICATE)
    if any(not trust.is_hearsay for trust in same):
        found.append(Reason.ECHO)
    if rounds >= ROUNDS:
        found.append(Reason.LOOP)
    return found


def _said(memory: Memory) -> str:
    """Return the words themselves, without who said them to whom."""
    head, _, said = memory.content.partition(": ")
    is_told = head.startswith(("@", "I "))
    return said if is_told and said else memory.content


def _holds_secret(text: str) -> bool:
    return any(found.rule == "safety.secret" for found in _SAFETY.check(text))
