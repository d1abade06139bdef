"""A rehearsal of a cast: what they said and felt, when, and out of what."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from puppet_engine.agents.answering import Answering
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.schedule import DRAWN_AT, FACTOR, AnswerTimes, PostTimes
from puppet_engine.core.models import AgentConfig, Noun
from puppet_engine.measures.mood import Moved
from puppet_engine.measures.rhythm import Pace
from puppet_engine.measures.showing import Paced
from puppet_engine.personas.handles import handle_of
from puppet_engine.simulation.digests import Utterance, digest, utterances_on
from puppet_engine.simulation.life import Life, Progress, lent_life
from puppet_engine.simulation.scenario import Scenario
from puppet_engine.simulation.simulate import never, rubbish_left_lying
from puppet_engine.storage import inner_lives
from puppet_engine.storage.inline import InlineStorage
from puppet_engine.storage.inner_lives import Decided, Timed

LOOKS_FOR_MENTIONS_MINUTES: Final = 120.0
"""How often the cast looks for mentions: often enough for conversations of a day."""

LIVES: Final = 100
"""So many other lives are drawn for comparison."""

HOUR: Final = timedelta(hours=1)


class Rehearsal(Noun):
    """What is known of a rehearsed life when it is over."""

    days: float
    seed: int
    cast: list[AgentConfig]
    said: list[Utterance]
    digest: str
    """SHA-256 of everything said."""
    post_times: dict[str, list[float]]
    """How likely it was, by what it was drawn from, that a post came by its moment: by handle."""
    post_hours: dict[str, list[tuple[int, dict[int, float]]]]
    """In which hour of the local week each post came, and how likely each hour was."""
    paced: dict[str, list[Paced]]
    """By how much moods stretched the waits for posts, and how these came out."""
    paces: dict[str, Pace]
    """The waits for posts, and those of other lives that were drawn from the same."""
    answer_times: dict[str, list[float]]
    """The same of answers, of those who take some time for them."""
    moved: dict[str, list[Moved]]
    """Every moment at which something moved somebody's mood."""
    decided: list[Decided]


async def rehearse_cast(
    cast: Sequence[AgentConfig],
    *,
    days: float,
    seed: int,
    progress: Callable[[Progress], None],
) -> Rehearsal:
    """Let a cast live some virtual days in a world of its own, and return what it came to.

    The world's brain speaks for everybody, whatever keys are set: it costs nothing.
    The same cast, days and seed are the same life.
    """
    scenario = Scenario(
        agents=len(cast),
        days=days,
        seed=seed,
        mention_poll_minutes=LOOKS_FOR_MENTIONS_MINUTES,
    )
    with lent_life(scenario, cast) as life:
        with rubbish_left_lying():
            await life.live(progress=progress, stopped=never)
        async with life.looked_back_on() as storage:
            return await _what_came_of(life, storage)


async def _what_came_of(life: Life, storage: InlineStorage) -> Rehearsal:
    said = utterances_on(life.world.site)
    handles = {config.id: handle_of(config) for config in life.cast}
    posts = _drawn(life.cast, await inner_lives.timed(storage, Posting.event_type))
    answers = await inner_lives.timed(storage, Answering.event_type)
    moments = await inner_lives.moments(storage)
    decided = await inner_lives.decided(storage)
    return Rehearsal(
        days=life.scenario.days,
        seed=life.scenario.seed,
        cast=list(life.cast),
        said=said,
        digest=digest(one.line() for one in said),
        post_times={
            handle: [times.cdf(due) for times, due in drawn] for handle, drawn in posts.items()
        },
        post_hours={
            handle: [(times.hour_of_week(due), times.by_hour()) for times, due in drawn]
            for handle, drawn in posts.items()
        },
        paced={
            handle: [_paced(times, due) for times, due in drawn] for handle, drawn in posts.items()
        },
        paces={
            handle: _pace(drawn, life.scenario.seed) for handle, drawn in posts.items() if drawn
        },
        answer_times={
            handle_of(config): [
                _answer_time(config, one) for one in answers if one.agent_id == config.id
            ]
            for config in life.cast
            # Who answers at once takes no time that could be tested.
            if config.behavior.response_times.max_minutes
        },
        moved={
            handle: [
                Moved(one.at, one.before, one.after, one.impulse)
                for one in moments
                if one.agent_id == agent_id
            ]
            for agent_id, handle in handles.items()
        },
        decided=decided,
    )


def _drawn(
    cast: Sequence[AgentConfig], events: Sequence[Timed]
) -> dict[str, list[tuple[PostTimes, datetime]]]:
    """Return what the moment of each post was drawn from, and when it came; not of the first."""
    return {
        handle_of(config): [
            (
                PostTimes(
                    behavior=config.behavior,
                    now=datetime.fromisoformat(one.payload[DRAWN_AT]),
                    factor=one.payload[FACTOR],
                ),
                one.due_at,
            )
            for one in events
            if one.agent_id == config.id and DRAWN_AT in one.payload
        ]
        for config in cast
    }


def _paced(times: PostTimes, due: datetime) -> Paced:
    return Paced(times.factor, replace(times, factor=1.0).cdf(due))


def _pace(drawn: Sequence[tuple[PostTimes, datetime]], seed: int) -> Pace:
    """Return the waits of somebody for their posts, beside those of `LIVES` other lives."""
    chance = random.Random(f"paces:{seed}")  # noqa: S311 - to be repeated, not to be secret
    frequency = drawn[0][0].behavior.post_frequency
    return Pace(
        waits=[(due - times.now) / HOUR for times, due in drawn],
        transforms=[times.cdf(due) for times, due in drawn],
        bounds=(frequency.min_hours_between_posts, frequency.max_hours_between_posts),
        drawn=[
            [(times.sample(chance) - times.now) / HOUR for times, _ in drawn] for _ in range(LIVES)
        ],
    )


def _answer_time(config: AgentConfig, event: Timed) -> float:
    times = AnswerTimes(times=config.behavior.response_times)
    return times.cdf(event.due_at - event.created_at)
