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
"""Over how many turns of one speaker what they say is read together: halves make no secret."""

_ALIKE_IN_ROUNDS: Final = 0.7
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
    before = _said_before(memory, lately)
    found = [
        *([Reason.SECRET] if _begun_before(_holds_secret, before, said) else []),
        *(
            [Reason.INSTRUCTION]
            if trust is Trust.STRANGER and _begun_before(instructs, before, said)
            else []
        ),
        *_repeats(memory, said, lately),
    ]
    return tuple(found)


def _begun_before(is_so: Callable[[str], bool], before: Sequence[str], said: str) -> bool:
    """Tell whether something is so of what is said, or of it with what was said before it."""
    if is_so(said):
        return True
    for number in range(1, len(before) + 1):
        earlier = before[-number:]
        # With a blank, for words, and without, for keys.
        if any(is_so(joint.join((*earlier, said))) for joint in (" ", "")):
            # What was so without this is not due to this.
            return not any(is_so(joint.join(earlier)) for joint in (" ", ""))
    return False


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
    rounds = sum(
        share >= _ALIKE_IN_ROUNDS and _of_one_talk_or_speaker(memory, one)
        for one, share in likeness
        if len(spoken) >= _SHORTEST or share == 1
    )
    # Of greetings one is like the other: only round and round they are a loop.
    same = (
        [trust_of(one.metadata) for one, share in likeness if share >= ALIKE]
        if len(spoken) >= _SHORTEST
        else []
    )
    found = []
    if any(trust.is_hearsay for trust in same):
        found.append(Reason.DUPLICATE)
    if any(not trust.is_hearsay for trust in same):
        found.append(Reason.ECHO)
    if rounds >= ROUNDS:
        found.append(Reason.LOOP)
    return found


def _of_one_talk_or_speaker(one: Memory, other: Memory) -> bool:
    """Tell whether two were said in one talk, or by one speaker: a new talk is soon begun."""
    mine, theirs = Circumstances.of(one.metadata), Circumstances.of(other.metadata)
    return any(
        here is not None and here == there
        for here, there in (
            (mine.conversation_id, theirs.conversation_id),
            (mine.speaker, theirs.speaker),
        )
    )


def _said(memory: Memory) -> str:
    """Return the words themselves, without who said them to whom."""
    head, _, said = memory.content.partition(": ")
    is_told = head.startswith(("@", "I "))
    return said if is_told and said else memory.content


def _holds_secret(text: str) -> bool:
    return any(found.rule == "safety.secret" for found in _SAFETY.check(text))
