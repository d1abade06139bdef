"""Asking within a budget: what is put down, when it degrades, and where it ends."""

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st
from tests.fickle_network import START
from tests.lent_storages import LendStorage
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    ConfigurationError,
    LLMRefusedError,
    LLMUnavailableError,
    ModelBudgetError,
)
from puppet_engine.core.model_spending import ModelAccount, ModelCharge
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.core.settings import Settings
from puppet_engine.llm.account import AccountProvider
from puppet_engine.llm.base import (
    Completion,
    CompletionOptions,
    CompletionRequest,
    LLMProvider,
)
from puppet_engine.llm.budget import BRIEFLY, SHORT_ANSWER, ModelBudget, Rung, affordable
from puppet_engine.llm.budget_desk import BudgetDesk
from puppet_engine.llm.budgeted import BudgetedProvider
from puppet_engine.llm.endpoints import Endpoint, endpoint_of, is_own_machine
from puppet_engine.llm.journalled import JournalledProvider
from puppet_engine.llm.prices import PriceList
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.model_spending import KEPT, SpendingBook, StoredSpending

TODAY = START.date()
ASKED = CompletionRequest(prompt="Fog?", options=CompletionOptions(max_tokens=100), agent_id="ada")
ACCOUNT = ModelAccount(agent_id="ada", day=TODAY, provider="openai", model="gpt-5-mini")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.integration)])
async def storage(
    request: pytest.FixtureRequest, lend_storage: LendStorage, clock: VirtualClock
) -> Storage:
    return await lend_storage(clock=clock, kind=request.param)


@pytest.fixture
def book(storage: Storage) -> SpendingBook:
    return StoredSpending(storage)


class Metered(LLMProvider):
    """Takes a thousand tokens for each answer, or meets what is planned."""

    def __init__(self, *plan: Exception) -> None:
        self.plan = list(plan)
        self.requests: list[CompletionRequest] = []

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        self.requests.append(request)
        if self.plan:
            raise self.plan.pop(0)
        usage = ModelUsage(input_tokens=900, cached_tokens=400, output_tokens=100)
        return Completion(text="Fog.", model="m-2026", usage=usage)


def within(
    budget: ModelBudget,
    book: SpendingBook,
    clock: VirtualClock,
    inner: LLMProvider,
    endpoint: Endpoint | None = None,
) -> BudgetedProvider:
    return BudgetedProvider(
        inner,
        endpoint=endpoint or endpoint_of(Settings(), "openai"),
        book=book,
        budget=budget,
        prices=PriceList(["own-model=1/10"]),
        clock=clock,
    )


# -------------------------------------------------------------------- the book


async def test_the_book_adds_up_by_agent_day_and_model(book: SpendingBook) -> None:
    other = ACCOUNT.model_copy(update={"model": "gpt-5-nano"})
    usage = ModelUsage(input_tokens=10, cached_tokens=4, output_tokens=5)

    await book.settle(ACCOUNT, usage, 7)
    await book.settle(ACCOUNT, usage, 7)
    await book.settle(other, usage, 1)
    await book.settle(ACCOUNT.model_copy(update={"agent_id": "bob"}), usage, 7)
    await book.settle(ACCOUNT.model_copy(update={"day": TODAY - timedelta(days=1)}), usage, 7)

    assert await book.spent("ada", TODAY) == ModelCharge(calls=3, tokens=45, cost=15)
    entries = await book.entries(first=TODAY, last=TODAY, agent_id="ada")
    assert [(entry.account.model, entry.calls, entry.cost) for entry in entries] == [
        ("gpt-5-mini", 2, 14),
        ("gpt-5-nano", 1, 1),
    ]
    assert entries[0].usage == ModelUsage(input_tokens=20, cached_tokens=8, output_tokens=10)
    assert len(await book.entries(first=date.min, last=TODAY)) == 4


async def test_what_is_open_counts_until_it_is_settled_or_released(book: SpendingBook) -> None:
    foreseen = ModelCharge(calls=1, tokens=50, cost=9)
    most = ModelCharge(tokens=120, cost=1_000)

    assert await book.reserve(ACCOUNT, foreseen, most=most)
    assert await book.reserve(ACCOUNT, foreseen, most=most)
    assert not await book.reserve(ACCOUNT, foreseen, most=most)
    assert await book.spent("ada", TODAY) == ModelCharge(calls=2, tokens=100, cost=18)
    await book.settle(ACCOUNT, ModelUsage(input_tokens=3), 1, foreseen=foreseen)
    await book.release(ACCOUNT, foreseen)

    assert await book.spent("ada", TODAY) == ModelCharge(calls=1, tokens=3, cost=1)


async def test_a_days_limit_is_each_agents_own(book: SpendingBook) -> None:
    foreseen, most = ModelCharge(calls=1, tokens=50), ModelCharge(tokens=60, cost=60)

    assert await book.reserve(ACCOUNT, foreseen, most=most)
    assert await book.reserve(ACCOUNT.model_copy(update={"agent_id": "bob"}), foreseen, most=most)
    tomorrow = ACCOUNT.model_copy(update={"day": TODAY + timedelta(days=1)})
    assert await book.reserve(tomorrow, foreseen, most=most)


async def test_what_is_long_past_is_taken_away(book: SpendingBook) -> None:
    await book.settle(ACCOUNT, ModelUsage(input_tokens=3), 1)
    later = ACCOUNT.model_copy(update={"day": TODAY + KEPT + timedelta(days=1)})
    await book.settle(later, ModelUsage(input_tokens=3), 1)

    assert [entry.account for entry in await book.entries(first=date.min, last=date.max)] == [
        later
    ]


# -------------------------------------------------------------------- calls


async def test_a_call_is_put_down_with_what_it_took_at_its_list_price(
    book: SpendingBook, clock: VirtualClock
) -> None:
    completion = await within(ModelBudget(cost=10**6), book, clock, Metered()).complete(ASKED)

    [entry] = await book.entries(first=TODAY, last=TODAY)
    # 500 fresh tokens at 0.25 dollars a million, 400 cached at 0.025, 100 written at 2.
    assert completion.cost == entry.cost == 335
    assert entry.account == ACCOUNT
    assert entry.open == ModelCharge()


async def test_a_journalled_answer_is_counted_once_and_keeps_its_cost(
    storage: Storage, book: SpendingBook, clock: VirtualClock
) -> None:
    inner = Metered()
    budgeted = AccountProvider(within(ModelBudget(cost=10**6), book, clock, inner), agent_id="ada")

    def turn() -> LLMProvider:
        return JournalledProvider(budgeted, journal=StoredAnswers(storage), occasion="ada 1")

    first = await turn().complete(ASKED)
    again = await turn().complete(ASKED)

    assert again == first
    assert len(inner.requests) == 1
    assert (await book.spent("ada", TODAY)).calls == 1


@pytest.mark.parametrize(
    ("error", "calls", "tokens"),
    [
        (LLMUnavailableError("busy"), 0, 0),
        (LLMRefusedError("no"), 0, 0),
        (LLMUnavailableError("empty", usage=ModelUsage(input_tokens=7)), 1, 7),
        (LLMRefusedError("no", usage=ModelUsage(input_tokens=7)), 1, 7),
        (LLMUnavailableError("late", may_be_billed=True), 1, 118),
    ],
    ids=["never billed", "refused", "billed in vain", "declined", "perhaps billed"],
)
async def test_a_failed_call_counts_as_far_as_it_may_be_billed(
    error: Exception, calls: int, tokens: int, book: SpendingBook, clock: VirtualClock
) -> None:
    with pytest.raises(type(error)):
        await within(ModelBudget(cost=10**6), book, clock, Metered(error)).complete(ASKED)

    spent = await book.spent("ada", TODAY)
    assert (spent.calls, spent.tokens) == (calls, tokens)


async def test_a_call_that_the_process_did_not_outlive_stays_in_the_book(
    book: SpendingBook, clock: VirtualClock
) -> None:
    class Killed(BaseException): ...

    class Deadly(Metered):
        @override
        async def complete(self, request: CompletionRequest) -> Completion:
            raise Killed

    with pytest.raises(Killed):
        await within(ModelBudget(cost=10**6), book, clock, Deadly()).complete(ASKED)

    [entry] = await book.entries(first=TODAY, last=TODAY)
    assert entry.calls == 0
    assert entry.open.calls == 1
    assert entry.open.cost > 0


async def test_as_a_budget_runs_low_a_smaller_model_is_asked_then_briefly_then_nobody(
    storage: Storage, book: SpendingBook, clock: VirtualClock
) -> None:
    inner = Metered()
    provider = within(ModelBudget(tokens=10_000), book, clock, inner)

    for _ in range(9):
        await provider.complete(ASKED)
    await provider.complete(ASKED)
    with pytest.raises(ModelBudgetError, match=r"'ada' asks no model until .*10,000 of") as caught:
        await provider.complete(ASKED)

    models = [request.options.model for request in inner.requests]
    assert models == [None] * 8 + ["gpt-5-nano"] * 2
    assert inner.requests[-1].prompt == f"{ASKED.prompt}{BRIEFLY}"
    assert inner.requests[-2].prompt == ASKED.prompt
    assert len(inner.requests) == 10
    assert caught.value.resets_at.date() == TODAY + timedelta(days=1)


async def test_a_restart_forgets_nothing_and_a_new_day_is_new(
    storage: Storage, clock: VirtualClock
) -> None:
    budget = ModelBudget(tokens=1_200)
    await within(budget, StoredSpending(storage), clock, Metered()).complete(ASKED)

    restarted = within(budget, StoredSpending(storage), clock, Metered())
    with pytest.raises(ModelBudgetError):
        await restarted.complete(ASKED.model_copy(update={"prompt": "fog " * 300}))
    clock.advance(timedelta(days=1))

    assert (await restarted.complete(ASKED)).text == "Fog."


async def test_a_budget_of_nothing_asks_nobody(book: SpendingBook, clock: VirtualClock) -> None:
    inner = Metered()

    for budget in (ModelBudget(tokens=0), ModelBudget(cost=0)):
        with pytest.raises(ModelBudgetError):
            await within(budget, book, clock, inner).complete(ASKED)

    assert inner.requests == []


async def test_a_server_of_ones_own_costs_nothing_whatever_the_limit_of_money(
    book: SpendingBook, clock: VirtualClock
) -> None:
    own = endpoint_of(Settings(), "ollama")
    provider = within(ModelBudget(cost=0), book, clock, Metered(), own)

    assert (await provider.complete(ASKED)).cost == 0
    assert (await book.spent("ada", TODAY)).tokens == 1_000


async def test_a_model_whose_price_nobody_knows_is_not_asked_under_a_limit_of_money(
    book: SpendingBook, clock: VirtualClock
) -> None:
    inner = Metered()
    unknown, own = (ASKED.with_options(model=name) for name in ("no-such-model", "own-model"))

    with pytest.raises(ConfigurationError, match=r"PUPPET_LLM_PRICES=no-such-model"):
        await within(ModelBudget(cost=10**6), book, clock, inner).complete(unknown)
    assert inner.requests == []

    assert (await within(ModelBudget(), book, clock, inner).complete(unknown)).cost == 0
    priced = await within(ModelBudget(cost=10**6), book, clock, inner).complete(own)
    assert priced.cost == 1_900


@pytest.mark.parametrize("text", ["gpt", "=1/2", "m=1", "m=a/b", "m=-1/2", "m=nan/1"])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no price"):
        PriceList([text])


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://localhost:1/v1", True),
        ("http://[::1]:1/v1", True),
        ("https://api.example.com/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        (None, False),
    ],
)
def test_only_this_machine_is_free(url: str | None, is_ours: bool) -> None:
    assert is_own_machine(url) is is_ours


# -------------------------------------------------------------------- laws

charges = st.builds(
    ModelCharge, tokens=st.integers(0, 10**9), cost=st.integers(0, 10**9), calls=st.just(0)
)
budgets = st.builds(
    ModelBudget,
    tokens=st.none() | st.integers(0, 10**9),
    cost=st.none() | st.integers(0, 10**9),
)


@given(charges, charges, budgets)
def test_who_has_used_more_is_never_higher_on_the_ladder(
    used: ModelCharge, more: ModelCharge, budget: ModelBudget
) -> None:
    ladder = list(Rung)

    assert ladder.index(budget.rung(used)) <= ladder.index(budget.rung(used.plus(more)))


@given(charges, budgets)
def test_who_has_used_all_of_either_is_silent(used: ModelCharge, budget: ModelBudget) -> None:
    most = budget.most

    over = used.tokens >= most.tokens or used.cost >= most.cost
    assert (budget.rung(used) is Rung.SILENT) is over


@given(st.sampled_from(list(Rung)), st.none() | st.integers(1, 10_000))
def test_a_brief_request_never_allows_more_than_before(rung: Rung, limit: int | None) -> None:
    request = CompletionRequest(prompt="x", options=CompletionOptions(max_tokens=limit))

    cut = affordable(request, rung, small=None).options.max_tokens

    if rung in {Rung.FULL, Rung.SMALLER}:
        assert cut == limit
    else:
        assert cut is not None
        assert cut <= min(limit or SHORT_ANSWER, SHORT_ANSWER)


# -------------------------------------------------------------------- those who look


async def test_the_desk_tells_who_has_used_what_and_how_they_get_on(
    book: SpendingBook, clock: VirtualClock
) -> None:
    budget = ModelBudget(tokens=1_000)
    for agent_id, tokens in (("ada", 800), ("bob", 100), ("cy", 1_000)):
        account = ACCOUNT.model_copy(update={"agent_id": agent_id})
        await book.settle(account, ModelUsage(input_tokens=tokens), 5)
    yesterday = ACCOUNT.model_copy(update={"day": TODAY - timedelta(days=1)})
    await book.settle(yesterday, ModelUsage(input_tokens=9_000), 90)
    desk = BudgetDesk(book=book, budget=budget, clock=clock)

    report = await desk.report(days=2)

    assert [(one.agent_id, one.share, one.rung) for one in report.today] == [
        ("cy", 1, Rung.SILENT),
        ("ada", 0.8, Rung.SMALLER),
        ("bob", 0.1, Rung.FULL),
    ]
    assert sum(entry.cost for entry in report.spending) == 105
    assert len((await desk.report(agent_id="bob")).spending) == 1
