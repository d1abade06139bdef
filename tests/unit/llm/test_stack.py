"""What the settings put together."""

from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.fickle_network import START
from tests.lent_storages import LendStorage
from tests.unit.llm.conftest import running
from tests.unit.llm.wire_servers import AnthropicServer, Fault, OpenAIServer, Trouble

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError, LLMUnavailableError
from puppet_engine.core.settings import Settings, secrets_of
from puppet_engine.llm.account import AccountProvider
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.endpoints import Endpoint, brain_endpoint
from puppet_engine.llm.stack import bill_of, budget_of, create_models
from puppet_engine.storage.model_spending import SpendingBook, StoredSpending


@pytest.fixture
async def book(lend_storage: LendStorage) -> SpendingBook:
    return StoredSpending(await lend_storage(clock=VirtualClock(START)))


@pytest.fixture
async def openai() -> AsyncGenerator[OpenAIServer]:
    async with running(OpenAIServer()) as server:
        assert isinstance(server, OpenAIServer)
        yield server


def models(book: SpendingBook, /, *brains: Endpoint, **given: Any) -> LLMProvider:
    settings = Settings(**given)
    bill = bill_of(settings, book=book, clock=VirtualClock(START))
    brain = brains[0] if brains else None
    stack = create_models(settings, bill=bill, wall_clock=VirtualClock(START), brain=brain)
    return AccountProvider(stack, agent_id="ada")


async def test_an_attempt_that_may_be_billed_is_counted_beside_the_answer_of_a_stand_in(
    book: SpendingBook, openai: OpenAIServer
) -> None:
    openai.always = Fault.CUT
    async with running(AnthropicServer()) as anthropic:
        provider = models(
            book,
            llm_provider="openai",
            openai_base_url=openai.url,
            llm_fallbacks="anthropic",
            max_model_tokens_per_day=1_000_000,
            anthropic_base_url=anthropic.url,
            anthropic_api_key="k",
        )
        text = await provider.generate_content("Fog?", {"model": "gpt-5"})
        await provider.aclose()

    assert text
    assert anthropic.requests[0].model == "claude-haiku-5-5"
    entries = await book.entries(first=date.min, last=date.max)
    assert {it.account.provider: (it.calls, it.open.calls) for it in entries} == {
        "anthropic": (1, 0),
        "openai": (0, 1),
    }


async def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    book: SpendingBook, openai: OpenAIServer
) -> None:
    openai.faults = [Trouble(429, headers={"Retry-After": "0"}), Trouble(500)]
    provider = models(book, llm_provider="openai", openai_base_url=openai.url)

    assert await provider.generate_content("Fog?", {})

    assert len(openai.requests) == 3
    [entry] = await book.entries(first=date.min, last=date.max)
    assert (entry.calls, entry.open.calls) == (1, 0)
    await provider.aclose()


async def test_the_brain_of_the_world_stands_in_and_costs_nothing(
    book: SpendingBook, openai: OpenAIServer
) -> None:
    async with running(OpenAIServer()) as world:
        openai.always = Trouble(500)
        provider = models(
            book,
            brain_endpoint(world.url),
            llm_provider="openai",
            openai_base_url=openai.url,
            llm_fallbacks="rehearsal",
            llm_attempts=1,
        )
        assert await provider.generate_content("Fog?", {"model": "gpt-5"})
        await provider.aclose()

    assert [asked.model for asked in world.requests] == ["rehearsal-brain"]
    entries = await book.entries(first=date.min, last=date.max)
    assert {it.account.provider: it.cost for it in entries if it.calls} == {"rehearsal": 0}


async def test_what_the_brain_of_the_world_says_is_recorded_as_what_any_model_says(
    book: SpendingBook, openai: OpenAIServer, tmp_path: Path
) -> None:
    file, brain = tmp_path / "calls.jsonl", brain_endpoint(openai.url)
    lived = models(book, brain, llm_record_to=file)
    said = await lived.generate_content("Fog?", {"model": "gpt-5"})
    await lived.aclose()

    assert openai.requests[0].model == "rehearsal-brain"
    replayed = models(book, brain, llm_replay_from=file)
    assert await replayed.generate_content("Fog?", {"model": "gpt-5"}) == said
    assert len(openai.requests) == 1


async def test_what_was_recorded_is_replayed_without_a_server(
    book: SpendingBook, openai: OpenAIServer, tmp_path: Path
) -> None:
    file = tmp_path / "calls.jsonl"
    lived = models(book, llm_provider="openai", openai_base_url=openai.url, llm_record_to=file)
    said = await lived.generate_content("Fog?", {})
    await lived.aclose()
    await openai.vanish()

    replayed = models(book, llm_provider="openai", llm_replay_from=file)

    assert await replayed.generate_content("Fog?", {}) == said
    assert len(openai.requests) == 1


def test_to_record_and_to_replay_at_once_is_refused(book: SpendingBook, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="recorded, or it is replayed"):
        models(book, llm_record_to=tmp_path / "a", llm_replay_from=tmp_path / "b")


def test_an_unknown_stand_in_is_refused_at_once(book: SpendingBook) -> None:
    with pytest.raises(ConfigurationError, match="no 'antropic'; there are: anthropic"):
        models(book, llm_provider="fake", llm_fallbacks=("antropic",))


def test_a_model_without_a_price_is_refused_at_the_start_and_not_in_a_turn(
    book: SpendingBook,
) -> None:
    given = {"openai_base_url": "https://llm.example.com/v1", "openai_model": "mine"}

    with pytest.raises(ConfigurationError, match=r"PUPPET_LLM_PRICES=mine=0\.25/2"):
        models(book, llm_provider="openai", **given)

    models(book, llm_provider="openai", llm_prices="mine=1/2", **given)
    models(book, llm_provider="openai", max_model_microdollars_per_day=None, **given)


async def test_a_chain_without_an_answer_tells_of_the_last(
    book: SpendingBook, openai: OpenAIServer
) -> None:
    openai.always = Trouble(503)
    provider = models(
        book,
        llm_provider="openai",
        openai_base_url=openai.url,
        llm_fallbacks="ollama",
        ollama_base_url="http://127.0.0.1:9/v1",
        llm_attempts=1,
    )

    with pytest.raises(LLMUnavailableError, match=r"127\.0\.0\.1:9/v1 cannot be reached"):
        await provider.generate_content("Fog?", {})

    await provider.aclose()


def test_settings_come_from_the_environment_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUPPET_LLM_FALLBACKS", "anthropic, ollama")
    monkeypatch.setenv("PUPPET_MAX_MODEL_MICRODOLLARS_PER_DAY", "null")
    monkeypatch.setenv("PUPPET_MAX_MODEL_TOKENS_PER_DAY", "50000")
    monkeypatch.setenv("XAI_API_KEY", "xai-secret")
    monkeypatch.setenv("GOOGLE_API_KEY", "google-secret")

    settings = Settings()

    assert settings.llm_fallbacks == ("anthropic", "ollama")
    assert (budget_of(settings).cost, budget_of(settings).tokens) == (None, 50_000)
    assert set(secrets_of(settings)) == {"xai-secret", "google-secret"}
