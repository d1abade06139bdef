"""How well a memory tells what it does not know.

Asked are questions whose answer was told, and three kinds that have none: what nobody told of,
what only others told, and what was told and has been forgotten since. To doubt an answer that is
there is as wrong as to guess one that is not.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from puppet_engine.measures.dialogues import Kind, Question, Talks, read_stories
from puppet_engine.memory.sqlite_store import SQLiteStore

FORGOTTEN: Final = 20
"""Of how many talks it is asked after they were forgotten."""

_DIRECT: Final = (Kind.SINGLE_HOP, Kind.ADVERSARIAL, Kind.KNOWLEDGE_UPDATE)


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """How often a memory said that it does not know."""

    unanswerable: int
    right: float
    """To which share of the questions without an answer."""
    answerable: int
    wrong: float
    """To which share of those with one."""
    kinds: Mapping[str, float]
    """To which share of each kind without an answer: `untold`, `of others`, `forgotten`."""


async def measure_doubts(
    store: SQLiteStore,
    agent_id: str,
    said: Talks,
    turns: Mapping[str, int],
    *,
    seed: int,
) -> Doubts:
    """Ask, and return how often there was doubt. Some talks are forgotten in the end."""
    chance = random.Random(f"doubts:{seed}")  # noqa: S311 - to be repeated, not to be secret
    wrong = await doubted(store, agent_id, (one.text for one in said.questions))
    kinds = {
        "untold": await doubted(store, agent_id, _untold(said)),
        "of others": await doubted(store, agent_id, _of_others(said)),
    }
    direct = [one for one in said.questions if one.kind in _DIRECT]
    unchanged = [one for one in direct if one.kind is not Kind.KNOWLEDGE_UPDATE]
    asked = chance.sample(unchanged, min(FORGOTTEN, len(unchanged)))
    await _forget(store, agent_id, said, turns, asked)
    kinds["forgotten"] = await doubted(store, agent_id, (one.text for one in asked))
    return weighed_up(kinds, wrong)


def weighed_up(kinds: Mapping[str, list[bool]], wrong: list[bool]) -> Doubts:
    """Return how often there was doubt: of the kinds without an answer, and of those with one."""
    unanswerable = [one for some in kinds.values() for one in some]
    return Doubts(
        unanswerable=len(unanswerable),
        right=_share(unanswerable),
        answerable=len(wrong),
        wrong=_share(wrong),
        kinds={kind: _share(some) for kind, some in kinds.items()},
    )


def _untold(said: Talks) -> list[str]:
    """Return questions of what nobody told of."""
    return [one.format(who=who) for one in read_stories().untold for who in said.people]


def _of_others(said: Talks) -> list[str]:
    """Return questions of people who never spoke, for what others did tell."""
    strangers = read_stories().strangers
    direct = [one.text for one in said.questions if one.kind in _DIRECT][::2]
    return [
        _renamed(text, said.people, strangers[place % len(strangers)])
        for place, text in enumerate(direct)
    ]


def _renamed(text: str, people: Iterable[str], stranger: str) -> str:
    for person in people:
        text = text.replace(person, stranger)
    return text


async def _forget(
    store: SQLiteStore,
    agent_id: str,
    said: Talks,
    turns: Mapping[str, int],
    asked: Iterable[Question],
) -> None:
    """Forget the talks that hold the answers."""
    talk_of = {one.number: one.memory.metadata["conversation_id"] for one in said.turns}
    talks = {talk_of[number] for one in asked for number in one.evidence}
    for memory_id, number in turns.items():
        if talk_of[number] in talks:
            await store.delete_memory(agent_id, memory_id)


async def doubted(store: SQLiteStore, agent_id: str, questions: Iterable[str]) -> list[bool]:
    """Return, for each question, whether the memory says that it does not know."""
    found = [await store.recollect(agent_id, question) for question in questions]
    return [not one.knows for one in found]


def _share(doubted: list[bool]) -> float:
    return round(sum(doubted) / len(doubted), 4) if doubted else 0.0
