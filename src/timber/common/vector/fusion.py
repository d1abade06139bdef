"""One ranking of documents from several: what each leg found, how recent and how weighty it is.

| signal | from 0 to 1 |
|--|--|
| `dense` | the cosine, the worst of those found as 0 and the best as 1 |
| `text` | the score of the words, as a share of the best |
| `recency` | 0.5 ** (age / half-life): 1 for now or later, 0.5 after one half-life |
| `importance` | what the document was given; 0 where it was given none |

Where nobody names weights, those of the legs follow the query: the more of its words the best
text has, the more words count (`by_words_found`). Names and identifiers are found so, which no
model knows; of a sentence that says something otherwise the best text has few words.

The score of a document is the mean of its signals by their weights. What a leg did not find has
0 there. Scores, not ranks, are added: the sum of reciprocal ranks (RRF, k=60) forgets by how much
the first is better, and measured worse than the better leg alone.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from timber.common.vector.base import Hit

Document = TypeVar("Document", bound=Hashable)

DENSE: Final = "dense"
TEXT: Final = "text"


@dataclass(frozen=True)
class Weights:
    """How much each signal counts; 0: it is not asked for."""

    dense: float = 0.7
    text: float = 0.3
    recency: float = 0.0
    importance: float = 0.0

    @property
    def total(self) -> float:
        return self.dense + self.text + self.recency + self.importance


_FEW_WORDS = 0.3
_LEAST, _MOST = 0.2, 0.7


def by_words_found(usual: Weights, share: float) -> Weights:
    """Return weights by the share of a query's words that the text best by words has.

    Words weigh 0.2 up to a share of 0.3, and 0.7 where it has all of them; between, they rise
    evenly. Chosen by the corpora of `benchmarks/retrieval.py` with two embedders: both legs
    together are there never below 0.97 of the better one.
    """
    part = (share - _FEW_WORDS) / (1 - _FEW_WORDS)
    words = _LEAST + (_MOST - _LEAST) * max(part, 0.0)
    return replace(usual, dense=1 - words, text=words)


@dataclass(frozen=True)
class Mark:
    """What a leg says of a document."""

    chunk_id: int
    """The piece of it that the leg found best."""
    rank: int
    """Among the documents that the leg found; the best has 1."""
    score: float
    """The leg's own, of the piece."""
    share: float
    """From 0 to 1."""


@dataclass(frozen=True)
class Candidate:
    """A document, and where its score comes from."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    """By the leg that found it, one at least."""
    recency: float = 0.0
    importance: float = 0.0
    score: float = 0.0
    """From 0 to 1."""
    chunk_id: int = 0
    """The piece of it that speaks for it most."""


@dataclass(frozen=True)
class Facts:
    """What is known of a document beside its words."""

    moment: datetime
    """When what it tells of occurred, or else when it was stored."""
    importance: float | None = None


@dataclass(frozen=True)
class Recency:
    """How documents age."""

    now: datetime
    half_life: timedelta

    def of(self, moment: datetime) -> float:
        """Return 1 for now and later, half of it for each half-life before."""
        age = max(self.now - moment, timedelta())
        return float(0.5 ** (age / self.half_life))


def marks_of(
    leg: str, hits: Sequence[Hit], documents: Mapping[int, Document]
) -> dict[Document, Mark]:
    """Return what a leg says of each document: of its best piece, as the hits come best first."""
    if not hits:
        return {}
    floor = hits[-1].score if leg == DENSE else 0.0
    reach = hits[0].score - floor
    found: dict[Document, Mark] = {}
    for hit in hits:
        document = documents.get(hit.chunk_id)
        if document is None or document in found:
            continue
        share = (hit.score - floor) / reach if reach > 0 else 1.0
        found[document] = Mark(hit.chunk_id, len(found) + 1, hit.score, share)
    return found


def fuse(
    legs: Mapping[str, Mapping[Document, Mark]],
    facts: Mapping[Document, Facts],
    *,
    weights: Weights,
    recency: Recency,
) -> dict[Document, Candidate]:
    """Return all documents that a leg has found, the best first; equal ones in their own order."""
    found = {
        document: _candidate(
            {leg: marks[document] for leg, marks in legs.items() if document in marks},
            facts[document],
            weights,
            recency,
        )
        for document in sorted({one for marks in legs.values() for one in marks})  # type: ignore[type-var] # documents have an order
    }
    return dict(sorted(found.items(), key=lambda pair: -pair[1].score))


def _candidate(
    marks: Mapping[str, Mark], facts: Facts, weights: Weights, recency: Recency
) -> Candidate:
    parts = {leg: getattr(weights, leg) * mark.share for leg, mark in marks.items()}
    age = recency.of(facts.moment)
    importance = min(max(facts.importance or 0.0, 0.0), 1.0)
    total = sum(parts.values()) + weights.recency * age + weights.importance * importance
    best = max(marks, key=lambda leg: parts[leg])
    return Candidate(
        marks=marks,
        recency=age,
        importance=importance,
        score=total / weights.total,
        chunk_id=marks[best].chunk_id,
    )
