"""Holding a life to account: what was promised, and where it was not kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from puppet_engine.agents.answering import Noticing
from puppet_engine.agents.mood import at_rest, faded
from puppet_engine.agents.posting import Posting
from puppet_engine.core.models import IntentKind, IntentState, Noun
from puppet_engine.core.moods import MoodState
from puppet_engine.core.personas import EmotionalRange
from puppet_engine.simulation.digests import Utterance
from puppet_engine.storage.census import EventFact, Heard, IntentFact, MoodFact

SHOWN: Final = 5
"""How many breaches of one promise are told in words."""

ROUNDING: Final = 1e-6
"""How far two ways of reckoning a mood may be apart."""

_SPOKEN: Final = frozenset({IntentKind.POST, IntentKind.REPLY, IntentKind.QUOTE})

ROUTINE: Final = (Posting.event_type, Noticing.event_type)


class Finding(Noun):
    """One promise, and how often it was broken."""

    promise: str
    checked: int
    broken: int
    examples: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether it was never broken."""
        return not self.broken


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a life when it is over."""

    until: datetime
    """Up to when everything due should be over."""
    handles: Mapping[str, str]
    """The handle of each agent, by its id."""
    events: Sequence[EventFact]
    intents: Sequence[IntentFact]
    heard: Sequence[Heard]
    cursors: Mapping[str, str | None]
    said: Sequence[Utterance]
    moods: Sequence[MoodFact]
    """By agent, and as they came."""
    ranges: Mapping[str, EmotionalRange]
    """What each agent can feel, by its id."""
    mentions: Mapping[str, Sequence[str]]
    """The ids of the posts of others that name an agent or answer it, by the agent's id."""


def hold_to_account(evidence: Evidence) -> list[Finding]:
    """Return every promise with its breaches."""
    checks: Mapping[str, Callable[[Evidence], tuple[int, Iterable[str]]]] = {
        "Every event that was due is over.": _events_over,
        "Every agent goes on with its routine.": _routines_go_on,
        "Every mention an agent has looked at was heard, once.": _mentions_heard_once,
        "Nothing was said twice.": _nothing_twice,
        "All that was said is known to whoever said it.": _all_accounted_for,
        "Each agent's events of one kind were taken in their order.": _order_kept,
        "Every mood faded by its half-life, and kept within its bounds.": _moods_kept,
    }
    findings = []
    for promise, check in checks.items():
        checked, breaches = check(evidence)
        broken = list(breaches)
        findings.append(
            Finding(
                promise=promise,
                checked=checked,
                broken=len(broken),
                examples=tuple(broken[:SHOWN]),
            )
        )
    return findings


def _events_over(evidence: Evidence) -> tuple[int, Iterable[str]]:
    due = [event for event in evidence.events if event.due_at <= evidence.until]
    late = (event for event in due if event.settled_as is None)
    return len(due), (f"{_name(event)} is still pending" for event in late)


def _routines_go_on(evidence: Evidence) -> tuple[int, Iterable[str]]:
    ahead = Counter(
        (event.agent_id, event.type)
        for event in evidence.events
        if event.settled_as is None and event.type in ROUTINE
    )
    wanted = [(agent_id, kind) for agent_id in evidence.handles for kind in ROUTINE]
    return len(wanted), (
        f"{agent_id} has {ahead[agent_id, kind]} of {kind} ahead"
        for agent_id, kind in wanted
        if ahead[agent_id, kind] != 1
    )


def _mentions_heard_once(evidence: Evidence) -> tuple[int, Iterable[str]]:
    heard = Counter((one.agent_id, one.post_id) for one in evidence.heard)
    wanted = [
        (agent_id, post_id)
        for agent_id, post_ids in evidence.mentions.items()
        for post_id in post_ids
        if int(post_id) <= int(evidence.cursors.get(agent_id) or 0)
    ]
    return len(wanted), (
        f"{agent_id} heard of post {post_id} {heard[agent_id, post_id]} times"
        for agent_id, post_id in wanted
        if heard[agent_id, post_id] != 1
    )


def _nothing_twice(evidence: Evidence) -> tuple[int, Iterable[str]]:
    texts = Counter((said.handle, said.in_reply_to, said.text) for said in evidence.said)
    answers = Counter(
        (said.handle, said.in_reply_to) for said in evidence.said if said.in_reply_to
    )
    twice = [f"@{handle} said twice: {text}" for (handle, _, text), n in texts.items() if n > 1]
    twice += [
        f"@{handle} answered {post} {n} times" for (handle, post), n in answers.items() if n > 1
    ]
    return len(evidence.said), twice


def _all_accounted_for(evidence: Evidence) -> tuple[int, Iterable[str]]:
    done = Counter(
        intent.result
        for intent in evidence.intents
        if intent.state == IntentState.DONE and intent.kind in _SPOKEN
    )
    under_way = {
        (evidence.handles.get(intent.agent_id), intent.text)
        for intent in evidence.intents
        if intent.state == IntentState.SENDING
    }
    on_site = {said.post_id for said in evidence.said}
    unknown = [
        f"@{said.handle} does not know of {said.post_id}: {said.text}"
        for said in evidence.said
        if done[said.post_id] != 1 and (said.handle, said.text) not in under_way
    ]
    imagined = [
        f"an intent came to {result}, which X does not have" for result in done.keys() - on_site
    ]
    return len(evidence.said) + len(done), [*unknown, *imagined]


def _order_kept(evidence: Evidence) -> tuple[int, Iterable[str]]:
    """Look for events that were known and due before another, and over after it."""
    last: dict[tuple[str, str], EventFact] = {}
    over = sorted(
        (event for event in evidence.events if event.settled_as is not None and event.agent_id),
        key=lambda event: event.settled_as or 0,
    )
    breaches = []
    for event in over:
        key = (event.agent_id or "", event.type)
        before = last.get(key)
        if before and event.sequence < before.sequence and event.due_at < before.due_at:
            breaches.append(f"{_name(before)} was taken before {_name(event)}")
        last[key] = event
    return len(over), breaches


def _moods_kept(evidence: Evidence) -> tuple[int, Iterable[str]]:
    """Hold each moment against what the one before it must have faded to."""
    breaches = []
    last: dict[str, MoodState] = {}
    for moment in evidence.moods:
        range_ = evidence.ranges[moment.agent_id]
        known = last.get(moment.agent_id) or at_rest(range_, moment.before.as_of)
        expected = faded(known, range_, moment.before.as_of)
        off = max(
            abs(expected.valence - moment.before.valence),
            abs(expected.arousal - moment.before.arousal),
        )
        strongest = max(abs(moment.after.valence), abs(moment.after.arousal))
        if off > ROUNDING or strongest > 1:
            at = f"{moment.before.as_of:%d %H:%M:%S}"
            breaches.append(f"{moment.agent_id} felt at {at} what it could not ({moment.event})")
        last[moment.agent_id] = moment.after
    return len(evidence.moods), breaches


def _name(event: EventFact) -> str:
    due = f"{event.due_at:%d %H:%M:%S}"
    return f"event {event.sequence} ({event.type} of {event.agent_id}, due {due})"
