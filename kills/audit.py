"""What must be true of a life that was killed many times, as its rows and the world have it."""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kills.evidence import EventRow, Evidence

ROUTINES: Final = ("post.due", "mentions.due", "reflection.due")
TURNS: Final = frozenset({*ROUTINES, "mention.received"})
"""The events that are turns of an agent; all else is only told."""
KINDS: Final = ", ".join(f"'{kind}'" for kind in sorted(TURNS))
"""The same, as SQL lists them."""
FELT: Final = frozenset({"post.due", "mention.received"})
"""The turns in which an agent decides and feels something: each leaves its marks."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found; a sound life has no faults, and enough of everything."""

    turns: int
    events: int
    effects: int
    """Posts and replies, as the world counts them."""
    lost_events: Sequence[str]
    repeated_effects: Sequence[str]
    broken_order: Sequence[str]

    @property
    def faults(self) -> list[str]:
        """All that is wrong."""
        return [*self.lost_events, *self.repeated_effects, *self.broken_order]


def audit(evidence: Evidence) -> Audit:
    """Judge a life that has ended of its own accord, with nothing left to be looked up."""
    over = [event for event in evidence.events if event.settled_as is not None]
    return Audit(
        turns=sum(event.type in TURNS for event in over),
        events=len(over),
        effects=len(evidence.published),
        lost_events=[
            *_gaps(evidence),
            *_failed(evidence),
            *_routines(evidence),
            *_wishes(evidence),
            *_unheard(evidence),
            *_left_answers(evidence),
            *_undecided(evidence),
            *_unmoved(evidence),
        ],
        repeated_effects=[*_said_twice(evidence), *_heard_twice(evidence), *_unlike(evidence)],
        broken_order=list(_broken_order(evidence)),
    )


# ------------------------------------------------------------------ nothing is lost


def _gaps(evidence: Evidence) -> Iterable[str]:
    last = max((event.sequence for event in evidence.events), default=0)
    if evidence.is_one_process and len(evidence.events) != last:
        # SQLite numbers without gaps, and nothing here deletes: a gap is an event that is gone.
        yield f"{last - len(evidence.events)} events have vanished"
    settled = [event.settled_as for event in evidence.events if event.settled_as is not None]
    if sorted(settled) != list(range(1, len(settled) + 1)):
        yield f"{len(settled)} events are over, but are not numbered from 1 to {len(settled)}"


def _failed(evidence: Evidence) -> Iterable[str]:
    for event in evidence.events:
        if event.error is not None:
            yield f"{event.type} {event.sequence} failed: {event.error}"


def _routines(evidence: Evidence) -> Iterable[str]:
    """Find agents who have not exactly one of each routine ahead."""
    ahead = Counter(
        (event.agent, event.type) for event in evidence.events if event.settled_as is None
    )
    for agent in evidence.agents:
        for routine in ROUTINES:
            if (pending := ahead[agent.id, routine]) != 1:
                yield f"{agent.id} has {pending} of {routine} ahead"


def _wishes(evidence: Evidence) -> Iterable[str]:
    """Compare what agents chose to say with what is to go out; of a thread its head counts."""
    wanted = Counter(each.agent for each in evidence.decided if each.is_post)
    kept = Counter(
        intent.agent
        for intent in evidence.intents
        if intent.kind == "post" and intent.follows is None
    )
    if wanted != kept:
        yield f"posts that were decided on, but are not wanted: {dict(wanted - kept)}"
        yield f"posts that are wanted, but were never decided on: {dict(kept - wanted)}"
    for intent in evidence.intents:
        if intent.state != "done":
            yield f"{intent.kind} {intent.id} is {intent.state}: {intent.result}"


def _unheard(evidence: Evidence) -> Iterable[str]:
    """Find what was said to an agent, and passed by when it looked, but never came to it."""
    heard = _mentions(evidence)
    for agent in evidence.agents:
        if agent.cursor is None:
            continue
        for post in evidence.published:
            is_to_it = agent.handle in post.mentions and post.handle.lower() != agent.handle
            is_past = int(post.post_id) <= int(agent.cursor)
            if is_to_it and is_past and not heard[agent.id, post.post_id]:
                yield f"{agent.id} never heard of {post.post_id}"


def _left_answers(evidence: Evidence) -> Iterable[str]:
    """Find answers of language models that are kept though their turn is a fact."""
    over = {f"{event.agent} {event.sequence}" for event in evidence.events if event.settled_as}
    for occasion in sorted(over.intersection(evidence.kept_answers)):
        yield f"the answer to {occasion} is still kept"


def _undecided(evidence: Evidence) -> Iterable[str]:
    """Compare the turns that are over with what was decided in them, once in each."""
    over: Counter[str | None] = Counter(event.id for event in _felt(evidence))
    decided = Counter(each.event for each in evidence.decided)
    if over != decided:
        yield f"turns in which nothing was decided: {dict(over - decided)}"
        yield f"decided in no turn, or again: {dict(decided - over)}"


def _unmoved(evidence: Evidence) -> Iterable[str]:
    """Compare what agents feel with the turns that are over: the one is committed with the other.

    What somebody says moves an agent each time; a post of its own is unanswered until then.
    """
    posting = {each.event for each in evidence.decided if each.is_post}
    moved, unanswered = Counter[str | None](), Counter[str | None]()
    for event in _felt(evidence):
        if event.type == "mention.received":
            moved[event.agent] += 1
            unanswered[event.agent] = 0
        elif event.id in posting:
            unanswered[event.agent] += 1
    for mind in evidence.minds:
        if mind.moved != moved[mind.agent]:
            yield f"{mind.agent} was moved {mind.moved} times, by {moved[mind.agent]} turns"
        if mind.unanswered != (posts := unanswered[mind.agent]):
            yield f"{mind.agent} waits for a word to {mind.unanswered} of its last {posts} posts"
    known = {mind.agent for mind in evidence.minds}
    for agent in sorted(filter(None, {*moved, *unanswered} - known)):
        yield f"the mood of {agent} is gone"


def _felt(evidence: Evidence) -> list[EventRow]:
    """Return the turns that are over in which something is felt, in the order of their ends."""
    over = [one for one in evidence.events if one.type in FELT and one.settled_as is not None]
    return sorted(over, key=lambda one: one.settled_as or 0)


# ------------------------------------------------------------------ nothing happens twice


def _said_twice(evidence: Evidence) -> Iterable[str]:
    for said, times in Counter((post.handle, post.text) for post in evidence.published).items():
        if times > 1:
            yield f"{said} was said {times} times"
    answered = Counter(
        (intent.agent, intent.answers) for intent in evidence.intents if intent.answers
    )
    for (agent, post), times in answered.items():
        if times > 1:
            yield f"{agent} answered {post} {times} times"


def _heard_twice(evidence: Evidence) -> Iterable[str]:
    for (agent, post), times in _mentions(evidence).items():
        if times > 1:
            yield f"{agent} heard of {post} {times} times"


def _unlike(evidence: Evidence) -> Iterable[str]:
    """Compare the world's posts with what is known of as done, remembered and told."""
    ids: Counter[str | None] = Counter(post.post_id for post in evidence.published)
    others: dict[str, Counter[str | None]] = {
        "done": Counter(one.result for one in evidence.intents if one.state == "done"),
        "remembered": Counter(evidence.own_memories),
        "told": Counter(one.post for one in evidence.events if one.type == "post.published"),
    }
    for what, known in others.items():
        if known != ids:
            yield f"{what}, but not public: {dict(known - ids)}"
            yield f"public, but not {what}: {dict(ids - known)}"


def _mentions(evidence: Evidence) -> Counter[tuple[str | None, str | None]]:
    return Counter(
        (event.agent, event.post) for event in evidence.events if event.type == "mention.received"
    )


# ------------------------------------------------------------------ each agent's order


def _broken_order(evidence: Evidence) -> Iterable[str]:
    """Find what was known before another, and due before it, but over after it."""
    taken: dict[tuple[str, int], list[EventRow]] = defaultdict(list)
    for event in evidence.events:
        is_ordered = evidence.is_one_process or event.type in TURNS
        # One that failed came again later, as it should.
        if event.agent and event.settled_as and is_ordered and not event.failures:
            taken[event.agent, event.priority].append(event)
    for (agent, _), events in taken.items():
        later: list[tuple[int, Any]] = []  # over later: for rising numbers, ever earlier moments
        for event in sorted(events, key=lambda one: -(one.settled_as or 0)):
            sequence, due = event.sequence, event.due_at
            place = bisect_left(later, (sequence,))
            if place and later[place - 1][1] <= due:
                yield f"{agent}: event {later[place - 1][0]} had to wait for {sequence}"
            if not place or due < later[place - 1][1]:
                while place < len(later) and later[place][1] >= due:
                    del later[place]
                insort(later, (sequence, due))
