"""One simulation, from the scenario to the report."""

import contextlib
import gc
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from puppet_engine.agents.answering import Answering
from puppet_engine.core.models import AgentConfig, IntentState
from puppet_engine.personas.handles import handle_of
from puppet_engine.simulation.account import Evidence, hold_to_account
from puppet_engine.simulation.digests import (
    Utterance,
    digest,
    digest_by_span,
    settled_lines,
    utterances_on,
)
from puppet_engine.simulation.feelings import Standing, moods_by_hour
from puppet_engine.simulation.life import Life, Progress, lent_life
from puppet_engine.simulation.meter import USUAL_PRICE, ModelPrice, price
from puppet_engine.simulation.population import populate
from puppet_engine.simulation.report import Counts, Person, Report
from puppet_engine.simulation.scenario import Scenario
from puppet_engine.simulation.talk import by_hour, cascades, who_answers_whom
from puppet_engine.storage import census
from puppet_engine.storage.inline import InlineStorage
from puppet_engine.world.x.site import XSite

LARGEST: Final = 12
"""How many cascades are told one by one."""


def never() -> bool:
    """Do not stop."""
    return False


async def simulate(
    scenario: Scenario,
    *,
    progress: Callable[[Progress], None],
    stopped: Callable[[], bool] = never,
    model: ModelPrice = USUAL_PRICE,
) -> Report:
    """Let a population live, and return what it came to; when `stopped`, what it came to so far.

    The world's brain speaks for everybody, whatever keys are set: it costs nothing.
    `model` is what the same words are priced by.
    """
    began = time.perf_counter()
    cast = populate(scenario.agents, seed=scenario.seed)
    with lent_life(scenario, cast) as life:
        with rubbish_left_lying():
            await life.live(progress=progress, stopped=stopped)
        async with life.looked_back_on() as storage:
            return await _report(life, storage, model=model, began=began)


@contextlib.contextmanager
def rubbish_left_lying() -> Generator[None]:
    """Look for cycles of garbage rarely: thousands of living objects are looked at each time."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def _report(
    life: Life, storage: InlineStorage, *, model: ModelPrice, began: float
) -> Report:
    said = utterances_on(life.world.site)
    evidence = await _evidence(life, storage, said)
    happened = settled_lines(evidence.events)
    replies = sum(one.is_reply for one in said)
    usage = life.meter.said(posts=len(said) - replies, replies=replies)
    memories = await census.memories(storage)
    lines = [one.line() for one in said]
    return Report(
        scenario=life.scenario,
        is_partial=evidence.until < life.scenario.end,
        lived_until=evidence.until,
        wall_seconds=round(time.perf_counter() - began, 3),
        digest=digest([*lines, *(line for _, line in happened)]),
        said_by_day=digest_by_span(((one.at, one.line()) for one in said), timedelta(days=1)),
        happened_by_hour=digest_by_span(happened, timedelta(hours=1)),
        counts=Counts(
            posts=len(said) - replies,
            replies=replies,
            memories=memories.total(),
            events=len(happened),
            retries=sum(event.failures for event in evidence.events),
            given_up=_given_up(evidence),
        ),
        memories=dict(memories),
        usage=usage,
        cost=price(usage, model),
        faults={kind: life.fate.counts[kind] for kind in life.scenario.faults},
        findings=hold_to_account(evidence),
        moods=moods_by_hour(evidence.moods, evidence.ranges, until=evidence.until),
        standings=await _standings(storage, evidence.handles),
        hours=by_hour(said),
        cascades=cascades(said, largest=LARGEST),
        answers=who_answers_whom(said),
        people=[_person(config) for config in life.cast],
        utterances=said,
    )


async def _evidence(life: Life, storage: InlineStorage, said: Sequence[Utterance]) -> Evidence:
    handles = {config.id: handle_of(config) for config in life.cast}
    site = life.world.site
    return Evidence(
        until=life.lived_until,
        handles=handles,
        events=await census.events(storage),
        intents=await census.intents(storage),
        heard=await census.heard(storage, Answering.event_type),
        cursors=await census.cursors(storage),
        said=said,
        moods=await census.moods(storage),
        ranges={config.id: config.personality.emotional_range for config in life.cast},
        mentions={agent_id: _mentions(site, handle) for agent_id, handle in handles.items()},
    )


async def _standings(storage: InlineStorage, handles: Mapping[str, str]) -> list[Standing]:
    return [
        Standing(
            who=handles[fact.agent_id],
            whom=fact.handle,
            familiarity=round(fact.familiarity, 4),
            affinity=round(fact.affinity, 4),
            trust=round(fact.trust, 4),
        )
        for fact in await census.standings(storage)
    ]


def _mentions(site: XSite, handle: str) -> list[str]:
    account = site.accounts.with_handle(handle)
    if account is None:
        return []
    return [str(post.id) for post in site.posts.mentioning(account.id, handle)]


def _given_up(evidence: Evidence) -> int:
    told = sum(event.type == "agent.failed" for event in evidence.events)
    refused = sum(intent.state == IntentState.REFUSED for intent in evidence.intents)
    return max(told, refused)


def _person(config: AgentConfig) -> Person:
    calling = config.description.partition(".")[0].lower()
    return Person(handle=handle_of(config), name=config.name, calling=calling)
