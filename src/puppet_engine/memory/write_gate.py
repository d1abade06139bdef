"""What of that which others say may become a memory. Pure.

What is held back is not lost: it lies in quarantine, where the operator sees it and may release
it. A plain `add_memory` does not come here: who has the store may keep what they want.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from puppet_engine.core.circumstances import Circumstances
from puppet_engine.core.models import Memory, StoredMemory
from puppet_engine.core.provenance import Reason, Trust, trust_of
from puppet_engine.memory.instructions import instructs
from puppet_engine.memory.words import words
from puppet_engine.style.safety import SafetyFilter

ALIKE: Final = 0.9
"""From which share of common words on two texts say the same (Jaccard index of their stems)."""
ROUNDS: Final = 2
"""How often something nearly the same was said in a talk, or by somebody, before it is a loop."""
PIECES: Final = 4
"""Over how many turns of one speaker what they say is read together: halves are not harmless."""
SEAM: Final = 120
"""How many signs on either side of where two turns meet are read together."""

_ALIKE_IN_ROUNDS: Final = 0.7
_ALIKE_OF_SPEAKER: Final = 0.8
"""In whatever talk: a new one is soon begun."""
_SHORTEST: Final = 3
"""Shorter greetings are said every day."""

_SAFETY: Final = SafetyFilter()


def reasons_against(memory: Memory, lately: Sequence[StoredMemory]) -> tuple[Reason, ...]:
    """Return why something that was heard may not become a memory; nothing when it may.

    `lately` is what the agent remembers last, in any order. What nobody else has said passes.
    """
    trust = trust_of(memory.metadata)
    if not trust.is_hearsay:
        return ()
    said = _said(memory)
    before, is_stranger = _said_before(memory, lately), trust is Trust.STRANGER
    found = [
        # Words have a blank between them, the halves of a key have none.
        *([Reason.SECRET] if _is_told(_holds_secret, before, said, "") else []),
        *([Reason.INSTRUCTION] if is_stranger and _is_told(instructs, before, said, " ") else []),
        *_repeats(memory, said, lately),
    ]
    return tuple(found)


def _is_told(is_so: Callable[[str], bool], before: Sequence[str], said: str, joint: str) -> bool:
    """Tell whether something is so of what is said, or of it with the end of what was before."""
    if is_so(said):
        return True
    earlier = joint.join(before)[-SEAM:]
    # What was so without this is not due to this.
    return bool(earlier) and is_so(f"{earlier}{joint}{said[:SEAM]}") and not is_so(earlier)


def _said_before(memory: Memory, lately: Sequence[StoredMemory]) -> list[str]:
    """Return what the same speaker said in the last turns that are remembered, oldest first."""
    speaker = Circumstances.of(memory.metadata).speaker
    if speaker is None:
        return []
    theirs = [one for one in lately if Circumstances.of(one.metadata).speaker == speaker]
    theirs.sort(key=lambda one: one.created_at)
    return [_said(one) for one in theirs[-(PIECES - 1) :]]


def alike(one: Iterable[str], other: Iterable[str]) -> float:
    """Return which share of the words of two texts both have: 1 when they have the same."""
    mine, theirs = frozenset(one), frozenset(other)
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 1.0


def _repeats(memory: Memory, said: str, lately: Sequence[StoredMemory]) -> list[Reason]:
    spoken = words(said)
    if not spoken:
        return []
    likeness = [(one, alike(spoken, words(_said(one)))) for one in lately]
    if len(spoken) < _SHORTEST:
        again = sum(share == 1 and _is_of_talk(memory, one) for one, share in likeness)
        return [Reason.LOOP] if again >= ROUNDS else []
    same = [trust_of(one.metadata) for one, share in likeness if share >= ALIKE]
    rounds = sum(
        (share >= _ALIKE_IN_ROUNDS and _is_of_talk(memory, one))
        or (share >= _ALIKE_OF_SPEAKER and _is_of_speaker(memory, one))
        for one, share in likeness
    )
    found = []
    if any(trust.is_hearsay for trust in same):
        found.append(Reason.DUPLICATE)
    if any(not trust.is_hearsay for trust in same):
        found.append(Reason.ECHO)
    if rounds >= ROUNDS:
        found.append(Reason.LOOP)
    return found


def _is_of_talk(one: Memory, other: Memory) -> bool:
    talk = one.metadata.get("conversation_id")
    return talk is not None and talk == other.metadata.get("conversation_id")


def _is_of_speaker(one: Memory, other: Memory) -> bool:
    speaker = Circumstances.of(one.metadata).speaker
    return speaker is not None and speaker == Circumstances.of(other.metadata).speaker


def _said(memory: Memory) -> str:
    """Return the words themselves, without who said them to whom."""
    head, _, said = memory.content.partition(": ")
    is_told = head.startswith(("@", "I "))
    return said if is_told and said else memory.content


def _holds_secret(text: str) -> bool:
    return any(found.rule == "safety.secret" for found in _SAFETY.check(text))
