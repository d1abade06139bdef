"""What models were used for, and what may be used."""

from datetime import date
from typing import Annotated

from pydantic import Field

from puppet_engine.core.model_usage import ModelUsage, Tokens
from puppet_engine.core.nouns import Noun

MicroDollars = Annotated[int, Field(ge=0)]


class ModelCharge(Noun):
    """Tokens and money that calls took, or may have taken."""

    calls: Annotated[int, Field(ge=0)] = 0
    tokens: Tokens = 0
    cost: MicroDollars = 0

    def plus(self, other: "ModelCharge") -> "ModelCharge":
        """Return both together."""
        return ModelCharge(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            cost=self.cost + other.cost,
        )


class ModelAccount(Noun):
    """Who asks which model on which day: what a charge is put down to."""

    agent_id: str
    """Empty for calls on nobody's account."""
    day: date
    """By UTC."""
    provider: str
    model: str


class ModelSpending(Noun):
    """What was used on one account."""

    account: ModelAccount
    calls: Annotated[int, Field(ge=0)] = 0
    usage: ModelUsage = ModelUsage()
    cost: MicroDollars = 0
    open: ModelCharge = ModelCharge()
    """What is under way, or was lost on its way and may be billed all the same: as foreseen."""

    @property
    def charge(self) -> ModelCharge:
        """All of it, with what may be billed."""
        known = ModelCharge(calls=self.calls, tokens=self.usage.tokens, cost=self.cost)
        return known.plus(self.open)
