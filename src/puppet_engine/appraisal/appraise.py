"""From a rehearsal to the verdicts: every measure, over what was said and felt."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from puppet_engine.agents.answering import Answering
from puppet_engine.agents.deciding import MOST_ANSWERS
from puppet_engine.agents.relationships import AFFINITY_HALF_LIFE, at_rest
from puppet_engine.appraisal.asking import asked_twice
from puppet_engine.appraisal.canaries import canaries_asked
from puppet_engine.appraisal.crowd import crowd
from puppet_engine.appraisal.rehearsal import Rehearsal, rehearse_cast
from puppet_engine.appraisal.report import Appraisal
from puppet_engine.core.decisions import Act, Decision
from puppet_engine.core.models import AgentConfig
from puppet_engine.core.nouns import Noun
from puppet_engine.core.relationships import Relationship
from puppet_engine.measures.authorship import authorship
from puppet_engine.measures.canaries import Asked, canaries
from puppet_engine.measures.conversations import Said, conversations
from puppet_engine.measures.drift import drift
from puppet_engine.measures.mood import mood
from puppet_engine.measures.population import population
from puppet_engine.measures.relationships import Stood, Weighed, relationships
from puppet_engine.measures.repetition import repetition
from puppet_engine.measures.rhythm import rhythm
from puppet_engine.measures.showing import Worded, showing
from puppet_engine.measures.style import style
from puppet_engine.measures.timing import timing
from puppet_engine.measures.topics import topics
from puppet_engine.measures.week import week
from puppet_engine.personas.handles import handle_of
from puppet_engine.simulation.life import Progress
from puppet_engine.style.sentiment import valence_of


@dataclass(frozen=True, kw_only=True)
class Lived:
    """A rehearsal that is over, and what the cast knew of itself."""

    rehearsal: Rehearsal
    asked: Sequence[Asked]
    seconds: float
    """The processor time that both took."""


async def live(
    cast: Sequence[AgentConfig], *, days: float, seed: int, progress: Callable[[Progress], None]
) -> Lived:
    """Let a cast live some virtual days, and ask it about itself."""
    began = time.process_time()
    rehearsal = await rehearse_cast(cast, days=days, seed=seed, progress=progress)
    asked = await canaries_asked(cast, seed=seed)
    return Lived(rehearsal=rehearsal, asked=asked, seconds=time.process_time() - began)


def appraise(life: Lived, *, measuring: Callable[[str, float], None]) -> Appraisal:
    """Measure a rehearsal. Pure, but for the time that it takes.

    `measuring` is told which measure comes next, and which share of them is behind.
    """
    began = time.process_time()
    measures = dict(_measures(life.rehearsal, life.asked))
    found: dict[str, Noun] = {}
    for name, measure in measures.items():
        measuring(name, len(found) / len(measures))
        found[name] = measure()
    lived = life.rehearsal
    return Appraisal.model_validate(
        {
            "days": lived.days,
            "seed": lived.seed,
            "handles": [handle_of(config) for config in lived.cast],
            "texts": len(lived.said),
            "digest": lived.digest,
            "lived_seconds": round(life.seconds, 1),
            "measured_seconds": round(time.process_time() - began, 1),
            **found,
        }
    )


def _measures(
    lived: Rehearsal, asked: Sequence[Asked]
) -> Iterator[tuple[str, Callable[[], Noun]]]:
    """Yield every measure, by its name, to be taken of the same life."""
    cast = [(handle_of(config), config) for config in lived.cast]
    handles = {config.id: handle for handle, config in cast}
    ranges = {handle: config.personality.emotional_range for handle, config in cast}
    in_order = [one.text for one in lived.said]
    texts = {
        handle: [one.text for one in lived.said if one.handle == handle] for handle, _ in cast
    }
    crowded = partial(crowd, seed=lived.seed)
    yield "style", lambda: style(cast, texts)
    yield "repetition", lambda: repetition(texts)
    yield "authorship", lambda: authorship(texts, crowd=crowded(count=100, each=24))
    yield "canaries", lambda: canaries(asked)
    yield "drift", lambda: drift(texts)
    yield (
        "population",
        lambda: population(texts, in_order, crowd=crowded(count=1_000, each=48)),
    )
    yield "post_times", lambda: timing("the times of posts", lived.post_times)
    yield "rhythm", lambda: rhythm(lived.paces)
    yield "week", lambda: week("posts", lived.post_hours)
    yield "answer_times", lambda: timing("the times of answers", lived.answer_times)
    yield "mood", lambda: mood(ranges, lived.moved)
    yield (
        "showing",
        lambda: showing(_worded(lived), lived.paced, asked_twice(lived.cast, seed=lived.seed)),
    )
    yield (
        "relationships",
        lambda: relationships(
            _weighed(lived, handles), list(_stood(lived, handles)), half_life=AFFINITY_HALF_LIFE
        ),
    )
    yield (
        "conversations",
        lambda: conversations(
            [Said(one.post_id, one.handle, one.in_reply_to) for one in lived.said],
            most=MOST_ANSWERS,
        ),
    )
    yield (
        "topics",
        lambda: topics(
            {handle: config.personality.interests for handle, config in cast},
            _spoken_of(lived, handles),
        ),
    )


def _weighed(lived: Rehearsal, handles: Mapping[str, str]) -> list[Weighed]:
    return [
        Weighed(handles[one.agent_id], relationship.handle, relationship.affinity, is_answered)
        for one in lived.decided
        for relationship, is_answered in _answered(one.decision)
    ]


def _answered(decision: Decision) -> Iterator[tuple[Relationship, bool]]:
    """Yield to whom, and whether, somebody replied who could have, and was not tired of it."""
    if decision.relationship is not None and decision.chances.get(Act.REPLY):
        yield decision.relationship, Act.REPLY in decision.acts


def _stood(lived: Rehearsal, handles: Mapping[str, str]) -> Iterator[Stood]:
    """Yield how each stood with each other, whenever something was decided about them."""
    configs = {config.id: config for config in lived.cast}
    for one in lived.decided:
        known = one.decision.relationship
        if known is not None:
            yield Stood(
                who=handles[one.agent_id],
                whom=known.handle,
                at=known.as_of,
                affinity=known.affinity,
                rest=at_rest(configs[one.agent_id], known.handle, known.as_of).affinity,
                has_heard=one.decision.occasion == Answering.event_type,
            )


def _spoken_of(lived: Rehearsal, handles: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in lived.decided:
        if one.post_id and Act.POST in one.decision.acts:
            found.setdefault(handles[one.agent_id], []).append(one.decision.topic)
    return found


def _worded(lived: Rehearsal) -> dict[str, list[Worded]]:
    """Return the mood of everybody at each of their posts, and that of its words."""
    by_post = {one.post_id: one.decision.mood.valence for one in lived.decided if one.post_id}
    found: dict[str, list[Worded]] = {}
    for said in lived.said:
        if said.post_id in by_post:
            words = valence_of(said.text)
            found.setdefault(said.handle, []).append(Worded(by_post[said.post_id], words))
    return found
