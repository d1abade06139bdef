"""What an agent may do and spend on a network in a day. Pure."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from puppet_engine.core.errors import BudgetExceededError
from puppet_engine.core.models import Noun
from puppet_engine.storage.intent_store import Standing

DAY: Final = timedelta(days=1)
"""The span that budgets look at: any 24 hours."""

DOLLAR: Final = 1_000_000
"""In micro-dollars."""


class Budget(Noun):
    """The most of any 24 hours; None is no limit."""

    intents: Annotated[int, Field(ge=0)] | None = None
    cost: Annotated[int, Field(ge=0)] | None = None
    """In micro-dollars."""

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.intents is not None or self.cost is not None

    def check(self, price: int, used: Standing, *, account: str) -> None:
        """Refuse what goes beyond the budget.

        Raises:
            BudgetExceededError: one more, or its price, is too much.

        """
        if self.intents is not None and used.intents + 1 > self.intents:
            raise BudgetExceededError(
                f"{account} has done all {self.intents} that the budget of 24 hours allows:"
                " raise PUPPET_MAX_INTENTS_PER_DAY, or wait"
            )
        if self.cost is not None and used.cost + price > self.cost:
            raise BudgetExceededError(
                f"{price} micro-dollars more on {account} exceed the {self.cost} of 24 hours, of"
                f" which {used.cost} are spent: raise PUPPET_MAX_MICRODOLLARS_PER_DAY, or wait"
            )
