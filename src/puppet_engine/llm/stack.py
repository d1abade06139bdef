"""Providers, and all that is done about their calls, put together as the settings say."""

import dataclasses
import random
from dataclasses import dataclass

from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.breaking import BreakingProvider
from puppet_engine.llm.budget import ModelBudget
from puppet_engine.llm.budgeted import BudgetedProvider
from puppet_engine.llm.endpoints import Endpoint, endpoint_of
from puppet_engine.llm.fallback import FallbackProvider
from puppet_engine.llm.one_model import OneModelProvider
from puppet_engine.llm.openai_provider import OpenAIProvider
from puppet_engine.llm.prices import PriceList
from puppet_engine.llm.providers import create_provider
from puppet_engine.llm.recorded import RecordingProvider, ReplayingProvider
from puppet_engine.llm.retrying import RetryingProvider
from puppet_engine.storage.model_spending import SpendingBook


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What it takes to ask within a budget."""

    book: SpendingBook
    budget: ModelBudget
    prices: PriceList
    clock: Clock
    """By which the agents' days end."""

    def require_price(self, endpoint: Endpoint) -> None:
        """Do nothing, unless money is limited and nobody knows what the usual model costs.

        Raises:
            ConfigurationError: nobody does; says how to tell it.

        """
        if self.budget.cost is not None and endpoint.model is not None:
            self.prices.cost(endpoint, endpoint.model, ModelUsage(), at=self.clock.now())

    def of(self, provider: LLMProvider, endpoint: Endpoint) -> LLMProvider:
        """Return a provider that asks within the budget."""
        return BudgetedProvider(
            provider,
            endpoint=endpoint,
            book=self.book,
            budget=self.budget,
            prices=self.prices,
            clock=self.clock,
        )


def budget_of(settings: Settings) -> ModelBudget:
    """Return what the settings allow an agent of models in a day."""
    return ModelBudget(
        tokens=settings.max_model_tokens_per_day, cost=settings.max_model_microdollars_per_day
    )


def bill_of(settings: Settings, *, book: SpendingBook, clock: Clock) -> Bill:
    """Return what it takes to ask within the budget of the settings.

    Raises:
        ConfigurationError: one of the prices is none.

    """
    prices = PriceList(settings.llm_prices)
    return Bill(book=book, budget=budget_of(settings), prices=prices, clock=clock)


def create_models(
    settings: Settings, *, bill: Bill, wall_clock: Clock, brain: Endpoint | None = None
) -> LLMProvider:
    """Return whom agents ask: `settings.llm_provider`, and its stand-ins.

    From within: a provider asks once · its budget · its breaker · it is asked again ·
    a stand-in is asked · all is recorded. A replay asks nobody.
    Servers fail in the time of `wall_clock`, whatever the agents' clock says.
    `brain` is where `rehearsal` is asked: that of the rehearsal world.

    Raises:
        ConfigurationError: a provider or its price is not known, or recording and replaying are
            both set.

    """
    if settings.llm_replay_from is not None:
        if settings.llm_record_to is not None:
            raise ConfigurationError(
                "PUPPET_LLM_RECORD_TO and PUPPET_LLM_REPLAY_FROM are both set: "
                "a life is recorded, or it is replayed"
            )
        return ReplayingProvider(settings.llm_replay_from)
    chance = random.Random(settings.seed)  # noqa: S311 - pauses, no secrets

    def link(name: str) -> LLMProvider:
        provider: LLMProvider
        if brain is not None and name == brain.name:
            endpoint, provider = brain, OpenAIProvider(settings, endpoint=brain)
        else:
            endpoint, provider = endpoint_of(settings, name), create_provider(settings, name)
            if name == settings.llm_provider and settings.llm_small_model is not None:
                endpoint = dataclasses.replace(endpoint, small_model=settings.llm_small_model)
        bill.require_price(endpoint)
        asked = bill.of(provider, endpoint)
        guarded = BreakingProvider(asked, name=endpoint.where, clock=wall_clock)
        return RetryingProvider(guarded, attempts=settings.llm_attempts, chance=chance)

    # The model that a persona names is one of the first provider's; a stand-in has its own.
    stand_ins = [OneModelProvider(link(name)) for name in settings.llm_fallbacks]
    first = link(settings.llm_provider)
    if brain is not None and settings.llm_provider == brain.name:
        first = OneModelProvider(first)  # the world has no other
    models = FallbackProvider([first, *stand_ins]) if stand_ins else first
    if settings.llm_record_to is not None:
        return RecordingProvider(models, file=settings.llm_record_to)
    return models
