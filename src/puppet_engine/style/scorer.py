"""Which of several texts is best, judged offline: by style, novelty and safety."""

from collections.abc import Sequence
from statistics import fmean
from typing import Final

from puppet_engine.core.nouns import Noun
from puppet_engine.style.findings import Violation
from puppet_engine.style.repetition import print_of, shared_part

SAFETY: Final = 0.5
STYLE: Final = 0.3
NOVELTY: Final = 0.2
"""How much each part counts; they add up to 1."""


class Score(Noun):
    """How good a text is, each part 0 to 1."""

    style: float
    novelty: float
    safety: float

    @property
    def total(self) -> float:
        """Return all parts in one figure, 0 to 1."""
        return SAFETY * self.safety + STYLE * self.style + NOVELTY * self.novelty


def score(text: str, findings: Sequence[Violation], *, own: Sequence[str]) -> Score:
    """Return how good a text with these findings is, after the agent's `own` earlier ones."""
    unsafe = any(found.rule.startswith("safety.") for found in findings)
    of_style = [found for found in findings if not found.rule.startswith("safety.")]
    lost = sum(1.0 if found.is_hard else 0.25 for found in of_style)
    return Score(style=1 / (1 + lost), novelty=novelty(text, own), safety=0.0 if unsafe else 1.0)


def novelty(text: str, own: Sequence[str]) -> float:
    """Return the part of a text that is in none of the earlier ones, 0 to 1.

    The greatest part that is shared with one of them counts as much as the mean of all.
    """
    shared = [shared_part(print_of(text), print_of(earlier)) for earlier in own]
    return 1 - (max(shared) + fmean(shared)) / 2 if shared else 1.0
