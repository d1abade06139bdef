"""How well what was told is found again: evidence recall, reciprocal rank, and how long it takes.

Recall@k is the share of a question's evidence among the first k that come to mind; the reciprocal
rank is 1 / the place of the first evidence among `DEEPEST`, 0 when none is there. Both are means
over questions. No model judges.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Final

from puppet_engine.core.models import StoredMemory
from puppet_engine.measures.dialogues import Question, Talks
from puppet_engine.memory.base import MemoryStore

DEEPEST: Final = 10
AT: Final = (1, 5, DEEPEST)

_WIDTH: Final = 1.96
"""Of a normal distribution: 95 % of it lie within so many deviations."""


@dataclass(frozen=True, kw_only=True)
class Recall:
    """How well the questions of one kind, or all, were answered."""

    questions: int
    recall: Mapping[int, float]
    """By how many come to mind: the mean over questions."""
    margins: Mapping[int, float]
    """Half of the 95 % interval of that, by the normal approximation."""
    mrr: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Where among what came to mind the evidence for a question stood."""

    question: Question
    places: tuple[int, ...]
    """Where evidence stood among what came to mind, from 1."""
    seconds: float


async def tell(store: MemoryStore, agent_id: str, said: Talks) -> dict[str, int]:
    """Let an agent remember talks; return the turn that each memory is of, by its id."""
    return {await store.add_memory(agent_id, one.memory): one.number for one in said.turns}


async def measure(
    store: MemoryStore,
    agent_id: str,
    questions: Iterable[Question],
    turns: Mapping[str, int],
    *,
    timer: Callable[[], float] = time.perf_counter,
) -> dict[str, Recall]:
    """Ask an agent's memory, and return how well it answered, by kind, and `all` together."""
    return summed_up(await ask(store, agent_id, questions, turns, timer=timer))


async def ask(
    store: MemoryStore,
    agent_id: str,
    questions: Iterable[Question],
    turns: Mapping[str, int],
    *,
    timer: Callable[[], float] = time.perf_counter,
) -> list[Answered]:
    """Ask an agent's memory, and return where it found what."""
    answers = []
    for question in questions:
        began = timer()
        found = await store.search_memories(agent_id, question.text, limit=DEEPEST)
        answers.append(Answered(question, _places(found, question, turns), timer() - began))
    return answers


def summed_up(answers: Iterable[Answered]) -> dict[str, Recall]:
    """Return how well questions were answered, by kind, and `all` together."""
    kinds: defaultdict[str, list[Answered]] = defaultdict(list)
    for answer in answers:
        kinds[answer.question.kind].append(answer)
        kinds["all"].append(answer)
    return {kind: _summed_up(some) for kind, some in sorted(kinds.items())}


def _places(
    found: Sequence[StoredMemory], question: Question, turns: Mapping[str, int]
) -> tuple[int, ...]:
    numbered = enumerate(found, 1)
    return tuple(place for place, one in numbered if turns.get(one.id) in question.evidence)


def _summed_up(answers: Sequence[Answered]) -> Recall:
    milliseconds = sorted(1000 * one.seconds for one in answers)
    return Recall(
        questions=len(answers),
        recall={depth: round(_mean(_share(one, depth) for one in answers), 4) for depth in AT},
        margins={
            depth: round(_margin([_share(one, depth) for one in answers]), 4) for depth in AT
        },
        mrr=round(_mean(1 / one.places[0] if one.places else 0 for one in answers), 4),
        p50_ms=round(milliseconds[len(answers) // 2], 2),
        p95_ms=round(milliseconds[len(answers) * 95 // 100], 2),
    )


def _share(answer: Answered, depth: int) -> float:
    within = sum(place <= depth for place in answer.places)
    return within / len(answer.question.evidence)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def _margin(values: Sequence[float]) -> float:
    return _WIDTH * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 1.0
