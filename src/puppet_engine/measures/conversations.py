"""Whether conversations come about, and end: who spoke how often in one line of answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.reading import CAST, Reading, told


@dataclass(frozen=True, slots=True)
class Said:
    """One post, and what it answers; nothing when it begins."""

    post_id: str
    handle: str
    in_reply_to: str | None


class Conversations(Noun):
    """How far what was said went."""

    readings: list[Reading]
    sizes: dict[int, int]
    """How many conversations have so many posts."""


def conversations(said: Sequence[Said], *, most: int) -> Conversations:
    """Measure the trees of answers of posts in the order in which they were made.

    `most` is how often anybody may speak in one line of answers. Who goes on under their own post
    tells a thread: that is one thing that is said.
    """
    said = _threads_put_together(said)
    known = {one.post_id: one for one in said}
    roots: dict[str, str] = {}
    depths: dict[str, int] = {}
    often = 0
    for one in said:
        parent = one.in_reply_to if one.in_reply_to in roots else None
        roots[one.post_id] = one.post_id if parent is None else roots[parent]
        depths[one.post_id] = 0 if parent is None else depths[parent] + 1
        often = max(often, _turns(one, known))
    sizes = Counter(Counter(roots.values()).values())
    answered = [size for size in sizes.elements() if size > 1]
    replies = sum(depth > 0 for depth in depths.values())
    return Conversations(
        readings=[
            Reading(
                of="times that anybody spoke in one line of answers",
                whose=CAST,
                value=often,
                line=f"{most} at the most",
                holds=0 < often <= most,
                count=len(said),
            ),
            Reading(
                of="texts that answer another",
                whose=CAST,
                value=replies / max(1, len(said)),
                line="above 0 %, below 100 %",
                holds=0 < replies < len(said),
                count=len(said),
                unit="share",
            ),
            told("posts of a conversation", fmean(answered or [0]), count=len(answered)),
            told("posts of the largest conversation", max(sizes, default=0), count=len(said)),
            told("answers in the longest line", max(depths.values(), default=0), count=len(said)),
        ],
        sizes=dict(sorted(sizes.items())),
    )


def _threads_put_together(said: Sequence[Said]) -> list[Said]:
    """Return posts without those in which their author goes on; answers are to what is left."""
    left: dict[str, Said] = {}
    whole: dict[str, str] = {}
    for one in said:
        parent = whole.get(one.in_reply_to, one.in_reply_to) if one.in_reply_to else None
        if parent in left and left[parent].handle == one.handle:
            whole[one.post_id] = parent
        else:
            left[one.post_id] = replace(one, in_reply_to=parent)
    return list(left.values())


def _turns(one: Said, known: dict[str, Said]) -> int:
    """Return how often its author has spoken from the beginning down to a post."""
    turns, at = 0, one
    while True:
        turns += at.handle == one.handle
        if at.in_reply_to is None or at.in_reply_to not in known:
            return turns
        at = known[at.in_reply_to]
