"""Who has used models for what, and what is left: for those who look."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import AwareDatetime

from puppet_engine.core.clock import Clock
from puppet_engine.core.model_spending import ModelCharge, ModelSpending
from puppet_engine.core.nouns import Noun
from puppet_engine.llm.budget import ModelBudget, Rung
from puppet_engine.storage.model_spending import SpendingBook


class BudgetLimits(Noun):
    """The most of a day (UTC) for each agent; None is no limit."""

    tokens: int | None
    cost: int | None
    """In micro-dollars."""


class AgentBudget(Noun):
    """What an agent has used today, and how it gets on with what is left."""

    agent_id: str
    """Empty for calls on nobody's account."""
    used: ModelCharge
    """All that counts, with what may be billed."""
    open: ModelCharge
    """What of that is under way, or was lost on its way and may be billed all the same."""
    share: float
    """How much of the budget is used; of the limit that is nearer."""
    rung: Rung


class BudgetReport(Noun):
    """What models were used for."""

    now: AwareDatetime
    resets_at: AwareDatetime
    """When the day ends, and everybody has all of their budget again."""
    limits: BudgetLimits
    today: tuple[AgentBudget, ...]
    """Those who asked a model today, the thriftiest last."""
    spending: tuple[ModelSpending, ...]
    """By day, agent, provider and model."""


class BudgetDesk:
    """Reads the book of what models were used for."""

    def __init__(self, *, book: SpendingBook, budget: ModelBudget, clock: Clock) -> None:
        self._book = book
        self._budget = budget
        self._clock = clock

    async def report(self, *, days: int = 1, agent_id: str | None = None) -> BudgetReport:
        """Return what was used today and in the `days` that end with it, by all or by one."""
        now = self._clock.now()
        today = now.astimezone(UTC).date()
        first = today - timedelta(days=days - 1)
        entries = await self._book.entries(first=first, last=today, agent_id=agent_id)
        return BudgetReport(
            now=now,
            resets_at=datetime.combine(today + timedelta(days=1), time(), tzinfo=UTC),
            limits=BudgetLimits(tokens=self._budget.tokens, cost=self._budget.cost),
            today=budgets_of(entries, today, self._budget),
            spending=tuple(entries),
        )


def budgets_of(
    entries: Sequence[ModelSpending], today: date, budget: ModelBudget
) -> tuple[AgentBudget, ...]:
    """Return what each agent has used today, the thriftiest last. Pure."""
    used: defaultdict[str, ModelCharge] = defaultdict(ModelCharge)
    unsettled: defaultdict[str, ModelCharge] = defaultdict(ModelCharge)
    for entry in entries:
        account = entry.account
        if account.day == today:
            used[account.agent_id] = used[account.agent_id].plus(entry.charge)
            unsettled[account.agent_id] = unsettled[account.agent_id].plus(entry.open)
    agents = [
        AgentBudget(
            agent_id=agent_id,
            used=charge,
            open=unsettled[agent_id],
            share=round(budget.share(charge), 4),
            rung=budget.rung(charge),
        )
        for agent_id, charge in used.items()
    ]
    return tuple(sorted(agents, key=lambda it: (-it.share, -it.used.cost, it.agent_id)))
