"""What OpenAI's protocol carries, and what is particular to those who speak it."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from tests.unit.llm.conftest import running
from tests.unit.llm.wire_servers import OpenAIServer, Trouble

from puppet_engine.core.errors import (
    LLMRefusedError,
    LLMUnavailableError,
    MissingCredentialError,
)
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import CompletionRequest
from puppet_engine.llm.openai_provider import OpenAIProvider
from puppet_engine.llm.providers import create_provider


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    made = OpenAIServer()
    made.text = "Fog again."
    async with running(made):
        yield made


@pytest.fixture
async def provider(server: OpenAIServer) -> AsyncIterator[OpenAIProvider]:
    made = OpenAIProvider(
        Settings(
            openai_base_url=server.url,
            openai_api_key=SecretStr("sk-test"),
            openai_model="m",
            seed=11,
        )
    )
    yield made
    await made.aclose()


async def test_a_request_carries_model_messages_seed_and_key(
    provider: OpenAIProvider, server: OpenAIServer
) -> None:
    options = {"system": "You are dry.", "temperature": 0.5, "max_tokens": 90}

    text = await provider.generate_content("Fog", options)

    assert text == "Fog again."
    [asked] = server.requests
    assert asked.key == "Bearer sk-test"
    assert asked.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "You are dry."},
            {"role": "user", "content": "Fog"},
        ],
        "temperature": 0.5,
        "max_tokens": 90,
        "seed": 11,
    }


async def test_what_was_not_asked_for_is_not_sent(
    provider: OpenAIProvider, server: OpenAIServer
) -> None:
    await provider.generate_content("Fog", {"seed": 5})

    assert server.requests[0].body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Fog"}],
        "seed": 5,
    }


async def test_a_model_that_takes_no_temperature_is_asked_without_from_then_on(
    provider: OpenAIProvider, server: OpenAIServer
) -> None:
    server.faults = [Trouble(400, message="Unsupported value: 'temperature' does not support 0.9")]

    first = await provider.generate_content("Fog", {"temperature": 0.9})
    await provider.generate_content("Fog", {"temperature": 0.9})

    assert first == "Fog again."
    assert ["temperature" in asked.body for asked in server.requests] == [True, False, False]


async def test_another_seed_gets_another_answer(
    provider: OpenAIProvider, server: OpenAIServer
) -> None:
    server.text = None
    answers = {await provider.generate_content("Fog", {"seed": seed}) for seed in range(8)}

    assert len(answers) > 4


async def test_a_wrong_key_is_named_as_the_cause_without_being_shown(
    provider: OpenAIProvider, server: OpenAIServer
) -> None:
    server.always = Trouble(401, message="bad key")

    with pytest.raises(LLMRefusedError, match="OPENAI_API_KEY") as caught:
        await provider.generate_content("Fog", {})

    assert "sk-test" not in str(caught.value)


async def test_usage_that_a_server_does_not_tell_is_reckoned(
    provider: OpenAIProvider, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = server.answer
    monkeypatch.setattr(server, "answer", lambda *of: {**full(*of), "usage": None})

    usage = (await provider.complete(CompletionRequest(prompt="Fog " * 30))).usage

    assert usage.is_estimate
    assert usage.input_tokens >= 30
    assert usage.output_tokens >= 2


async def test_a_missing_key_is_reported_when_it_is_needed_and_not_before() -> None:
    provider = OpenAIProvider(Settings())

    with pytest.raises(MissingCredentialError, match="OPENAI_API_KEY"):
        await provider.generate_content("Fog", {})


@pytest.mark.parametrize(
    ("vendor", "key"),
    [("grok", "XAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY"), ("gemini", "GEMINI_API_KEY")],
)
async def test_a_vendor_without_its_key_names_it(vendor: str, key: str) -> None:
    provider = create_provider(Settings(llm_provider=vendor))

    with pytest.raises(MissingCredentialError, match=key):
        await provider.generate_content("Fog", {})


async def test_a_server_of_ones_own_needs_no_key(server: OpenAIServer) -> None:
    provider = OpenAIProvider(Settings(openai_base_url=server.url))

    assert await provider.generate_content("Fog", {}) == "Fog again."
    await provider.aclose()


@pytest.mark.parametrize("vendor", ["grok", "ollama", "vllm", "llamacpp"])
async def test_a_preset_is_asked_where_it_is_and_for_the_model_that_is_set(
    vendor: str, server: OpenAIServer
) -> None:
    given = {f"{vendor}_base_url": server.url, f"{vendor}_model": "mine", "llm_provider": vendor}
    settings = Settings(**given, grok_api_key=SecretStr("k"))  # type: ignore[arg-type] # checked
    provider = create_provider(settings)

    assert await provider.generate_content("Fog", {}) == "Fog again."

    assert server.requests[0].model == "mine"
    await provider.aclose()


async def test_a_server_of_ones_own_is_asked_for_the_first_model_that_it_has(
    server: OpenAIServer,
) -> None:
    provider = create_provider(Settings(llm_provider="ollama", ollama_base_url=server.url))

    await provider.generate_content("Fog", {})

    assert server.requests[0].model == "local-1"
    await provider.aclose()


async def test_a_server_without_a_model_says_what_to_do(server: OpenAIServer) -> None:
    server.model_names = []
    provider = create_provider(Settings(llm_provider="vllm", vllm_base_url=server.url))

    with pytest.raises(LLMUnavailableError, match="PUPPET_VLLM_MODEL"):
        await provider.generate_content("Fog", {})

    await provider.aclose()
