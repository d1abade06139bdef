"""What every provider promises: one suite over all of them."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from puppet_engine.core.clock import SystemClock
from puppet_engine.core.errors import LLMRefusedError
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.providers import create_provider
from puppet_engine.world.app import create_world_app
from puppet_engine.world.brain.routes import create_brain_router
from puppet_engine.world.server import LoopbackServer


@pytest.fixture(params=["fake", "openai"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[LLMProvider]:
    brain = create_world_app([create_brain_router(seed=7, clock=SystemClock())])
    server = LoopbackServer(brain)
    url = await server.start()
    made = create_provider(
        Settings(
            llm_provider=request.param,
            openai_base_url=f"{url}/v1",
            openai_api_key=SecretStr("any"),
        )
    )
    yield made
    await made.aclose()
    await server.stop()


async def test_an_answer_is_a_stripped_text(provider: LLMProvider) -> None:
    text = await provider.generate_content("Fog over the harbour", {})

    assert text
    assert text == text.strip()


async def test_the_same_request_gets_the_same_answer(provider: LLMProvider) -> None:
    options = {"system": "You are dry.", "seed": 3}

    first = await provider.generate_content("Fog", options)
    second = await provider.generate_content("Fog", options)

    assert first == second


async def test_another_seed_gets_another_answer(provider: LLMProvider) -> None:
    answers = {await provider.generate_content("Fog", {"seed": seed}) for seed in range(8)}

    assert len(answers) > 4


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
