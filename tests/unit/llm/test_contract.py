"""What every provider and every wrapper promises: one suite over all of them.

Those that ask somebody ask a local server of the vendor's protocol, which fails as real ones do.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from tests.lent_storages import LendStorage
from tests.unit.llm.conftest import SERVERS, WRAPPERS, running, settings_for, wrapped
from tests.unit.llm.wire_servers import Fault, Trouble, WireServer

from puppet_engine.core.errors import (
    LLMError,
    LLMRefusedError,
    LLMUnavailableError,
    UnusableAnswerError,
)
from puppet_engine.llm.base import CompletionOptions, CompletionRequest, LLMProvider
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.llm.providers import create_provider
from puppet_engine.world.brain.provider import BrainProvider

Connected = tuple[LLMProvider, WireServer]

ASKED = CompletionRequest(
    prompt="Fog over the harbour", options=CompletionOptions(system="You are dry.")
)


@pytest.fixture(params=["fake", "brain", *SERVERS, *WRAPPERS])
async def provider(
    request: pytest.FixtureRequest, tmp_path: Path, lend_storage: LendStorage
) -> AsyncIterator[LLMProvider]:
    if request.param == "fake":
        yield FakeLLMProvider()
        return
    if request.param == "brain":
        yield BrainProvider(seed=1, own_seed=7)
        return
    vendor = request.param if request.param in SERVERS else "openai"
    async with running(SERVERS[vendor]()) as server:
        made = create_provider(settings_for(vendor, server.url))
        if request.param in SERVERS:
            yield made
        else:
            async with wrapped(request.param, made, tmp_path, lend_storage) as wrapper:
                yield wrapper
        await made.aclose()


# -------------------------------------------------------------------- answers


async def test_an_answer_is_a_stripped_text(provider: LLMProvider) -> None:
    text = await provider.generate_content("Fog over the harbour", {})

    assert text
    assert text == text.strip()


async def test_a_completion_tells_who_answered_and_what_it_took(provider: LLMProvider) -> None:
    completion = await provider.complete(ASKED)

    assert completion.model
    assert completion.usage.input_tokens > 0
    assert completion.usage.output_tokens > 0
    assert completion.cost >= 0


async def test_the_same_request_gets_the_same_answer(provider: LLMProvider) -> None:
    options = {"system": "You are dry.", "seed": 3}

    first = await provider.generate_content("Fog", options)
    second = await provider.generate_content("Fog", options)

    assert first == second


async def test_a_post_is_one_paragraph_that_fits(provider: LLMProvider) -> None:
    post = await provider.generate_tweet("On fog,\n\nat length:\n" + "fog and more fog. " * 60, {})

    assert 0 < len(post) <= 280
    assert "\n" not in post


async def test_an_option_that_does_not_exist_is_refused_by_name(provider: LLMProvider) -> None:
    with pytest.raises(LLMRefusedError, match="temperature"):
        await provider.generate_content("Fog", {"temprature": 1})


async def test_a_provider_that_was_closed_opens_again(provider: LLMProvider) -> None:
    before = await provider.generate_content("Fog", {})
    await provider.aclose()
    await provider.aclose()

    assert await provider.generate_content("Fog", {}) == before


# -------------------------------------------------------------------- on the wire


async def test_who_speaks_and_what_is_asked_travel_apart(connected: Connected) -> None:
    provider, server = connected

    await provider.complete(ASKED)

    [asked] = server.requests
    assert asked.system == "You are dry."
    assert asked.prompt == "Fog over the harbour"
    assert asked.roles[-1] == "user"
    assert "assistant" not in asked.roles


async def test_what_the_server_counted_is_told(connected: Connected) -> None:
    provider, _ = connected

    usage = (await provider.complete(ASKED)).usage

    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (100, 40, 20)
    assert not usage.is_estimate


class Choice(BaseModel):
    """A decision."""

    act: bool
    why: str


async def test_an_object_is_asked_for_by_its_schema_and_read(connected: Connected) -> None:
    provider, server = connected
    server.text = 'Sure!\n```json\n{"act": true, "why": "fog"}\n```'

    answer = await provider.complete_as(ASKED, Choice)

    assert answer.value == Choice(act=True, why="fog")
    assert len(answer.completions) == 1
    assert set(server.requests[0].schema["properties"]) == {"act", "why"}
    assert "JSON Schema" in server.requests[0].prompt


async def test_an_answer_of_another_form_is_asked_for_once_more_with_the_reason(
    connected: Connected,
) -> None:
    provider, server = connected
    server.text = '{"act": "perhaps"}'

    with pytest.raises(UnusableAnswerError, match=r"no Choice: act: .*; why: Field required"):
        await provider.complete_as(ASKED, Choice)

    assert len(server.requests) == 2
    assert "act: Input should be a valid boolean" in server.requests[1].prompt
    assert server.requests[1].prompt.startswith(server.requests[0].prompt)


@pytest.mark.parametrize("status", [429, 500])
async def test_a_server_in_trouble_is_unavailable(status: int, connected: Connected) -> None:
    provider, server = connected
    server.always = Trouble(status, message="busy")

    with pytest.raises(LLMUnavailableError, match="busy") as caught:
        await provider.complete(ASKED)

    assert not caught.value.may_be_billed


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_request_that_will_never_do_is_refused_after_one_call(
    status: int, connected: Connected
) -> None:
    provider, server = connected
    server.always = Trouble(status, message="no such thing")

    with pytest.raises(LLMRefusedError, match="no such thing") as caught:
        await provider.complete(ASKED)

    assert len(server.requests) == 1
    assert "secret-key" not in str(caught.value)


async def test_a_server_says_when_it_wants_to_be_asked_again(connected: Connected) -> None:
    provider, server = connected
    server.always = Trouble(429, headers={"Retry-After": "90"})

    with pytest.raises(LLMUnavailableError) as caught:
        await provider.complete(ASKED)

    assert caught.value.retry_after == pytest.approx(90)


async def test_a_moment_to_ask_again_is_reckoned_by_the_servers_own_clock(
    connected: Connected,
) -> None:
    provider, server = connected
    server.always = Trouble(
        503,
        headers={
            "Date": "Mon, 05 Jan 2026 06:00:00 GMT",
            "Retry-After": "Mon, 05 Jan 2026 06:02:00 GMT",
        },
    )

    with pytest.raises(LLMUnavailableError) as caught:
        await provider.complete(ASKED)

    assert caught.value.retry_after == pytest.approx(120)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.CUT])
async def test_a_call_whose_answer_is_lost_may_be_billed_and_is_told_to(
    fault: Fault, connected: Connected
) -> None:
    provider, server = connected
    server.always = fault

    with pytest.raises(LLMUnavailableError, match="may be billed") as caught:
        await provider.complete(ASKED)

    assert caught.value.may_be_billed


@pytest.mark.parametrize("fault", [Fault.PAGE, Fault.GARBAGE, Fault.NONSENSE])
async def test_an_answer_that_is_none_is_an_error_of_ours(
    fault: Fault, connected: Connected
) -> None:
    provider, server = connected
    server.always = fault

    with pytest.raises(LLMUnavailableError) as caught:
        await provider.complete(ASKED)

    assert caught.value.may_be_billed


async def test_a_model_that_declines_is_not_asked_again(connected: Connected) -> None:
    provider, server = connected
    server.always = Fault.REFUSAL

    with pytest.raises(LLMRefusedError, match="declined") as caught:
        await provider.complete(ASKED)

    assert len(server.requests) == 1
    assert caught.value.usage is not None


async def test_an_empty_answer_is_an_error_that_tells_what_it_took(connected: Connected) -> None:
    provider, server = connected
    server.always = Fault.EMPTY

    with pytest.raises(LLMUnavailableError, match="empty answer") as caught:
        await provider.complete(ASKED)

    assert caught.value.usage is not None
    assert caught.value.usage.tokens == 120


async def test_a_server_that_is_not_there_is_unavailable_and_bills_nothing(
    connected: Connected,
) -> None:
    provider, server = connected
    await server.vanish()

    with pytest.raises(LLMUnavailableError, match="cannot be reached") as caught:
        await provider.complete(ASKED)

    assert not caught.value.may_be_billed


async def test_after_a_failure_the_next_call_is_answered(connected: Connected) -> None:
    provider, server = connected
    server.faults = [Trouble(400)]

    with pytest.raises(LLMError):
        await provider.complete(ASKED)

    assert (await provider.complete(ASKED)).text
