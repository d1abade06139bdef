"""What OpenAI's protocol carries, and what its failures become."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from tests.unit.llm.scripted_server import ScriptedServer, completion

from puppet_engine.core.errors import (
    LLMError,
    LLMRefusedError,
    LLMUnavailableError,
    MissingCredentialError,
)
from puppet_engine.core.settings import Settings
from puppet_engine.llm.openai_provider import OpenAIProvider


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    running = ScriptedServer()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def provider(server: ScriptedServer) -> AsyncIterator[OpenAIProvider]:
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
    provider: OpenAIProvider, server: ScriptedServer
) -> None:
    options = {"system": "You are dry.", "temperature": 0.5, "max_tokens": 90}

    text = await provider.generate_content("Fog", options)

    assert text == "Fog again."
    assert server.keys == ["Bearer sk-test"]
    assert server.requests == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "You are dry."},
                {"role": "user", "content": "Fog"},
            ],
            "temperature": 0.5,
            "max_tokens": 90,
            "seed": 11,
        }
    ]


async def test_what_was_not_asked_for_is_not_sent(
    provider: OpenAIProvider, server: ScriptedServer
) -> None:
    await provider.generate_content("Fog", {"seed": 5})

    assert server.requests == [
        {"model": "m", "messages": [{"role": "user", "content": "Fog"}], "seed": 5}
    ]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_a_server_in_trouble_is_unavailable_and_asked_only_once(
    status: int, provider: OpenAIProvider, server: ScriptedServer
) -> None:
    server.status, server.body = status, {"error": {"message": "busy"}}

    with pytest.raises(LLMUnavailableError, match="busy"):
        await provider.generate_content("Fog", {})

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_request_that_will_never_do_is_refused(
    status: int, provider: OpenAIProvider, server: ScriptedServer
) -> None:
    server.status, server.body = status, {"error": {"message": "no such thing"}}

    with pytest.raises(LLMRefusedError, match="no such thing"):
        await provider.generate_content("Fog", {})


async def test_a_wrong_key_is_named_as_the_cause_without_being_shown(
    provider: OpenAIProvider, server: ScriptedServer
) -> None:
    server.status, server.body = 401, {"error": {"message": "bad key"}}

    with pytest.raises(LLMRefusedError, match="OPENAI_API_KEY") as caught:
        await provider.generate_content("Fog", {})

    assert "sk-test" not in str(caught.value)


async def test_a_silent_server_is_unavailable_and_the_bill_is_mentioned(
    server: ScriptedServer,
) -> None:
    server.silent = True
    provider = OpenAIProvider(Settings(openai_base_url=server.url, llm_timeout_seconds=0.05))

    with pytest.raises(LLMUnavailableError, match=r"within 0\.05 s; it may be billed"):
        await provider.generate_content("Fog", {})

    assert len(server.requests) == 1
    await provider.aclose()


async def test_a_server_that_is_not_there_is_unavailable(server: ScriptedServer) -> None:
    provider = OpenAIProvider(Settings(openai_base_url=server.url))
    await server.stop()

    with pytest.raises(LLMUnavailableError, match="cannot be reached"):
        await provider.generate_content("Fog", {})


@pytest.mark.parametrize("text", [None, "", "  \n"])
async def test_an_empty_answer_is_an_error_that_tells_why(
    text: str | None, provider: OpenAIProvider, server: ScriptedServer
) -> None:
    server.body = completion(text, finish="length")

    with pytest.raises(LLMUnavailableError, match="finish_reason 'length'"):
        await provider.generate_content("Fog", {})


async def test_a_refusal_of_the_model_is_a_refusal(
    provider: OpenAIProvider, server: ScriptedServer
) -> None:
    server.body = completion(None, refusal="I would rather not.")

    with pytest.raises(LLMRefusedError, match="I would rather not"):
        await provider.generate_content("Fog", {})


async def test_an_answer_without_choices_is_an_error(
    provider: OpenAIProvider, server: ScriptedServer
) -> None:
    server.body = {**completion("x"), "choices": []}

    with pytest.raises(LLMError, match="no choice"):
        await provider.generate_content("Fog", {})


async def test_a_missing_key_is_reported_when_it_is_needed_and_not_before() -> None:
    provider = OpenAIProvider(Settings())

    with pytest.raises(MissingCredentialError, match="OPENAI_API_KEY"):
        await provider.generate_content("Fog", {})


async def test_a_server_of_ones_own_needs_no_key(server: ScriptedServer) -> None:
    provider = OpenAIProvider(Settings(openai_base_url=server.url))

    assert await provider.generate_content("Fog", {}) == "Fog again."
    await provider.aclose()
