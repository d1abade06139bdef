"""The answers of a search, as callers get them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from timber.common.vector.candidates import Piece
from timber.common.vector.diversity import diversified
from timber.common.vector.fusion import DENSE, TEXT, Candidate
from timber.common.vector.numerics import numpy
from timber.common.vector.questions import Question
from timber.common.vector.stored_vectors import read_vectors


@dataclass(frozen=True)
class Answer:
    """A document, by the piece of it that fits best."""

    piece: Piece
    candidate: Candidate

    def as_result(self) -> dict[str, Any]:
        """Return the dict of it that callers get."""
        return {
            "content": self.piece.content,
            "metadata": dict(self.piece.metadata or {}),
            "source_type": self.piece.source_type,
            "source_id": self.piece.source_id,
            "score": self.candidate.score,
        }

    def explained(self) -> dict[str, Any]:
        """Return what its score is made of; of a leg that did not find it, None."""
        found: dict[str, Any] = {}
        for leg in (DENSE, TEXT):
            mark = self.candidate.marks.get(leg)
            found[leg] = mark and {"rank": mark.rank, "score": mark.score, "share": mark.share}
        return {
            **found,
            "recency": self.candidate.recency,
            "importance": self.candidate.importance,
            "piece": self.piece.ordinal,
        }


@dataclass(frozen=True)
class Answers:
    """What a search has found."""

    question: Question
    found: list[Answer]
    source_types: tuple[str, ...]
    """Those that were searched."""
    waiting: Mapping[str, int]
    """How many rows are unread, and pieces without a vector, of each source."""

    def as_results(self, *, explain: bool) -> list[dict[str, Any]]:
        """Return a dict for each."""
        if not explain:
            return [one.as_result() for one in self.found]
        common = {"weights": asdict(self.question.weights), "pending": sum(self.waiting.values())}
        return [
            {**one.as_result(), "explain": {**one.explained(), **common}} for one in self.found
        ]

    def explained(self, query: str) -> dict[str, Any]:
        """Return all that is known of the search."""
        return {
            "query": query,
            "source_types": list(self.source_types),
            "filters": dict(self.question.filters),
            "owner": self.question.owner,
            "weights": asdict(self.question.weights),
            "pending": dict(self.waiting),
            "results": [{**one.as_result(), "explain": one.explained()} for one in self.found],
        }


def unlike(
    connection: Connection, answers: Sequence[Answer], diversity: float, *, limit: int
) -> list[Answer]:
    """Return answers in an order in which the first do not repeat one another."""
    np = numpy()
    vectors = read_vectors(connection, (one.piece.chunk_id for one in answers))
    length = max(map(len, vectors.values()), default=1)
    nothing = np.zeros(length, dtype=np.float32)
    table = np.stack([vectors.get(one.piece.chunk_id, nothing) for one in answers] or [nothing])
    relevance = [one.candidate.score for one in answers]
    order = diversified(relevance, table, diversity=diversity, limit=limit)
    return [answers[place] for place in order]
