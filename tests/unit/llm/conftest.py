"""Every provider before a server of its protocol, and every wrapper around one of them."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.fickle_network import START
from tests.lent_storages import LendStorage
from tests.unit.llm.wire_servers import AnthropicServer, GeminiServer, OpenAIServer, WireServer

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.settings import Settings
from puppet_engine.llm.account import AccountProvider
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.breaking import BreakingProvider
from puppet_engine.llm.budget import ModelBudget
from puppet_engine.llm.budgeted import BudgetedProvider
from puppet_engine.llm.endpoints import endpoint_of
from puppet_engine.llm.fallback import FallbackProvider
from puppet_engine.llm.journalled import JournalledProvider
from puppet_engine.llm.one_model import OneModelProvider
from puppet_engine.llm.prices import PriceList
from puppet_engine.llm.providers import create_provider
from puppet_engine.llm.recorded import RecordingProvider
from puppet_engine.llm.retrying import RetryingProvider
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.model_spending import StoredSpending

SERVERS: dict[str, type[WireServer]] = {
    "openai": OpenAIServer,
    "ollama": OpenAIServer,
    "anthropic": AnthropicServer,
    "gemini": GeminiServer,
}
"""One vendor of each protocol, and one whose server names its model itself."""

WRAPPERS = (
    "account",
    "breaking",
    "budgeted",
    "fallback",
    "journalled",
    "one_model",
    "recorded",
    "retrying",
)

TIMEOUT_SECONDS = 1.5


def settings_for(vendor: str, url: str) -> Settings:
    """Return settings under which a vendor is asked at `url`, by the key `secret-key`."""
    given: dict[str, object] = {
        "llm_provider": vendor,
        f"{vendor}_base_url": url,
        "llm_timeout_seconds": TIMEOUT_SECONDS,
    }
    if f"{vendor}_api_key" in Settings.model_fields:
        given[f"{vendor}_api_key"] = SecretStr("secret-key")
    return Settings(**given)  # type: ignore[arg-type] # pydantic checks them


@asynccontextmanager
async def running(server: WireServer) -> AsyncIterator[WireServer]:
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def wrapped(
    how: str, inner: LLMProvider, folder: Path, lend_storage: LendStorage
) -> AsyncIterator[LLMProvider]:
    """Put a wrapper around a provider."""
    clock = VirtualClock(START)
    storage = await lend_storage(clock=clock)

    async def sleep(_seconds: float) -> None: ...

    def fresh() -> LLMProvider:
        return JournalledProvider(inner, journal=StoredAnswers(storage), occasion=random_id())

    makers: dict[str, Callable[[], LLMProvider]] = {
        "account": lambda: AccountProvider(inner, agent_id="ada"),
        "breaking": lambda: BreakingProvider(inner, name="there", clock=clock),
        "budgeted": lambda: BudgetedProvider(
            inner,
            endpoint=endpoint_of(Settings(), "openai"),
            book=StoredSpending(storage),
            budget=ModelBudget(tokens=10_000_000, cost=10_000_000),
            prices=PriceList(),
            clock=clock,
        ),
        "fallback": lambda: FallbackProvider([inner, inner]),
        "journalled": fresh,
        "one_model": lambda: OneModelProvider(inner),
        "recorded": lambda: RecordingProvider(inner, file=folder / "calls.jsonl"),
        "retrying": lambda: RetryingProvider(
            inner, attempts=3, chance=random.Random(1), sleep=sleep
        ),
    }
    yield makers[how]()


@pytest.fixture(params=[*SERVERS, *WRAPPERS])
async def connected(
    request: pytest.FixtureRequest, tmp_path: Path, lend_storage: LendStorage
) -> AsyncIterator[tuple[LLMProvider, WireServer]]:
    """Return a provider, or a wrapper around OpenAI's, and the server that it asks."""
    name: str = request.param
    vendor = name if name in SERVERS else "openai"
    async with running(SERVERS[vendor]()) as server:
        provider = create_provider(settings_for(vendor, server.url))
        if name in SERVERS:
            yield provider, server
        else:
            async with wrapped(name, provider, tmp_path, lend_storage) as wrapper:
                yield wrapper, server
        await provider.aclose()
