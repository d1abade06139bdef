"""What an agent may use of models in a day, and how it makes do when that runs low. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from puppet_engine.core.model_spending import ModelCharge
from puppet_engine.llm.base import CompletionRequest

NO_LIMIT: Final = 2**62
"""More tokens, or micro-dollars, than anybody has."""

SMALLER_FROM: Final = 0.75
"""The share of a budget from which on a smaller model is asked."""

SHORTER_FROM: Final = 0.9
"""The share from which on it is asked to be brief, too."""

SHORT_ANSWER: Final = 400
"""The most tokens of a brief answer: a post has a hundred, the rest is for thought."""

BRIEFLY: Final = "\n\n## Length\nBe brief: the shortest text that keeps to your form."


class Rung(StrEnum):
    """How much an agent can afford: the ladder that it goes down as its budget is used up."""

    FULL = "full"
    SMALLER = "smaller"
    """It asks a smaller model."""
    SHORTER = "shorter"
    """It asks a smaller model to be brief."""
    SILENT = "silent"
    """It asks nobody until the day is over."""


@dataclass(frozen=True)
class ModelBudget:
    """The most of a day; None is no limit."""

    tokens: int | None = None
    cost: int | None = None
    """In micro-dollars."""

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.tokens is not None or self.cost is not None

    @property
    def most(self) -> ModelCharge:
        """The limits as a charge."""
        return ModelCharge(
            tokens=NO_LIMIT if self.tokens is None else self.tokens,
            cost=NO_LIMIT if self.cost is None else self.cost,
        )

    def share(self, used: ModelCharge) -> float:
        """Return how much of the budget is used: of that limit which is nearer."""
        parts = ((used.tokens, self.tokens), (used.cost, self.cost))
        return max((_share(used, most) for used, most in parts if most is not None), default=0.0)

    def rung(self, used: ModelCharge) -> Rung:
        """Return what an agent can afford that has used so much."""
        share = self.share(used)
        if share >= 1:
            return Rung.SILENT
        if share >= SHORTER_FROM:
            return Rung.SHORTER
        return Rung.SMALLER if share >= SMALLER_FROM else Rung.FULL


def affordable(request: CompletionRequest, rung: Rung, *, small: str | None) -> CompletionRequest:
    """Return a request as an agent can afford it; `small` is the smaller model, if any."""
    if rung is Rung.FULL:
        return request
    if small is not None:
        request = request.with_options(model=small)
    if rung is Rung.SMALLER:
        return request
    limit = min(request.options.max_tokens or SHORT_ANSWER, SHORT_ANSWER)
    brief = request.with_options(max_tokens=limit)
    return brief.model_copy(update={"prompt": f"{brief.prompt}{BRIEFLY}"})


def _share(used: int, most: int) -> float:
    return used / most if most else 1.0
