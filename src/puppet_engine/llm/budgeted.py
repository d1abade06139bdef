"""Asking within a budget, and keeping the book of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ConfigurationError, LLMError, ModelBudgetError
from puppet_engine.core.model_spending import ModelAccount, ModelCharge
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.budget import ModelBudget, Rung, affordable
from puppet_engine.llm.endpoints import Endpoint
from puppet_engine.llm.prices import PriceList
from puppet_engine.llm.reckoning import foreseen
from puppet_engine.llm.wrapper import WrapperProvider
from puppet_engine.storage.model_spending import SpendingBook

_LADDER: Final = (Rung.FULL, Rung.SMALLER, Rung.SHORTER)

_TOKENS: Final = "PUPPET_MAX_MODEL_TOKENS_PER_DAY"
_MONEY: Final = "PUPPET_MAX_MODEL_MICRODOLLARS_PER_DAY"

WHICHEVER: Final = "whichever it has"
"""What a model is called in the book that the server chooses itself."""


class BudgetedProvider(WrapperProvider):
    """Asks the provider of one endpoint, each call of it at the most once, within a budget.

    What a call may take is put down before it is made, and what it took when it is over.
    A call whose answer got lost, in time or with the process, stays in the book as foreseen,
    for it may be billed. As a budget runs low, requests are made smaller, then none.
    """

    def __init__(
        self,
        inner: LLMProvider,
        *,
        endpoint: Endpoint,
        book: SpendingBook,
        budget: ModelBudget,
        prices: PriceList,
        clock: Clock,
    ) -> None:
        super().__init__(inner)
        self._endpoint = endpoint
        self._book = book
        self._budget = budget
        self._prices = prices
        self._clock = clock

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        request, account, charge = await self._admitted(request)
        try:
            completion = await self.inner.complete(request)
        except LLMError as error:
            await self._failed(account, charge, error)
            raise
        cost = max(self._cost(account.model, completion.usage), completion.cost)
        await self._book.settle(account, completion.usage, cost, foreseen=charge)
        return completion.model_copy(update={"cost": cost})

    async def _admitted(
        self, request: CompletionRequest
    ) -> tuple[CompletionRequest, ModelAccount, ModelCharge]:
        """Return a request as it may be made, with what is put down for it."""
        limits = self._limits()
        if not limits.is_limited:
            return request, self._account(request), ModelCharge()
        used = await self._book.spent(request.agent_id, self._today())
        for rung in _from(limits.rung(used)):
            asked = affordable(request, rung, small=self._endpoint.small_model)
            account = self._account(asked)
            tokens = foreseen(asked)
            cost = self._cost(account.model, tokens)
            charge = ModelCharge(calls=1, tokens=tokens.tokens, cost=cost)
            if await self._book.reserve(account, charge, most=limits.most):
                return asked, account, charge
        raise self._spent(request, limits, used)

    async def _failed(self, account: ModelAccount, charge: ModelCharge, error: LLMError) -> None:
        if error.usage is not None:
            cost = self._cost(account.model, error.usage)
            await self._book.settle(account, error.usage, cost, foreseen=charge)
        elif not error.may_be_billed:
            await self._book.release(account, charge)

    def _limits(self) -> ModelBudget:
        """Return the limits there are here: what costs nothing has none in money."""
        cost = None if self._endpoint.is_free else self._budget.cost
        return ModelBudget(tokens=self._budget.tokens, cost=cost)

    def _account(self, request: CompletionRequest) -> ModelAccount:
        return ModelAccount(
            agent_id=request.agent_id,
            day=self._today(),
            provider=self._endpoint.name[:60],
            model=(request.options.model or self._endpoint.model or WHICHEVER)[:160],
        )

    def _today(self) -> date:
        return self._clock.now().astimezone(UTC).date()

    def _cost(self, model: str, usage: ModelUsage) -> int:
        try:
            return self._prices.cost(self._endpoint, model, usage, at=self._clock.now())
        except ConfigurationError:
            if self._budget.cost is None:
                return 0  # nobody asked for a limit that would need it
            raise

    def _spent(
        self, request: CompletionRequest, limits: ModelBudget, used: ModelCharge
    ) -> ModelBudgetError:
        tomorrow = self._today() + timedelta(days=1)
        resets_at = datetime.combine(tomorrow, time(), tzinfo=UTC)
        most = []
        if limits.tokens is not None:
            most.append(f"{used.tokens:,} of {limits.tokens:,} tokens ({_TOKENS})")
        if limits.cost is not None:
            most.append(f"{used.cost:,} of {limits.cost:,} micro-dollars ({_MONEY})")
        return ModelBudgetError(
            f"{request.agent_id or 'nobody'!r} asks no model until {resets_at.isoformat()}: "
            f"{' and '.join(most)} of the day are used, and another call would be too much",
            resets_at=resets_at,
        )


def _from(rung: Rung) -> Iterator[Rung]:
    """Yield the rungs that are left, from one on downwards."""
    if rung is not Rung.SILENT:
        yield from _LADDER[_LADDER.index(rung) :]
