"""The brain in the process says what the brain behind the wire says."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from tests.fickle_network import START

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import LLMError, LLMRefusedError
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import CompletionOptions, CompletionRequest, LLMProvider
from puppet_engine.llm.endpoints import brain_endpoint
from puppet_engine.llm.openai_provider import OpenAIProvider
from puppet_engine.world.brain.provider import BrainProvider
from puppet_engine.world.brain.routes import create_brain_router

SEED = 11


class Choice(BaseModel):
    """A decision."""

    act: bool
    why: str


REQUESTS = (
    CompletionRequest(prompt="Write a post about fog."),
    CompletionRequest(
        prompt="Write a post about fog.",
        options=CompletionOptions(system="You are Ada, a dry keeper of a lighthouse.", seed=5),
    ),
    CompletionRequest(prompt="Fog", options=CompletionOptions(max_tokens=4)),
    CompletionRequest(prompt="Fog", options=CompletionOptions(model="gpt-5-mini", seed=0)),
    CompletionRequest(
        prompt="Act?", options=CompletionOptions(answer_schema=Choice.model_json_schema())
    ),
)


@pytest.fixture(params=[0, 7], ids=lambda seed: f"engine's seed {seed}")
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[LLMProvider, LLMProvider]]:
    app = FastAPI()
    app.include_router(create_brain_router(seed=SEED, clock=VirtualClock(START)))
    behind_the_wire = OpenAIProvider(
        Settings(seed=request.param),
        endpoint=brain_endpoint("http://world.invalid/v1"),
        transport=httpx2.ASGITransport(app),
    )
    yield behind_the_wire, BrainProvider(seed=SEED, own_seed=request.param)
    await behind_the_wire.aclose()


@pytest.mark.parametrize("asked", REQUESTS, ids=range(len(REQUESTS)))
async def test_it_answers_to_the_letter_as_on_the_wire_and_counts_the_same(
    asked: CompletionRequest, both: tuple[LLMProvider, LLMProvider]
) -> None:
    on_the_wire, in_process = both

    expected = await on_the_wire.complete(asked)

    assert await in_process.complete(asked) == expected


async def test_it_refuses_a_model_that_does_not_exist_as_on_the_wire(
    both: tuple[LLMProvider, LLMProvider],
) -> None:
    asked = CompletionRequest(prompt="Fog", options=CompletionOptions(model="gpt-9"))

    told: list[LLMError] = []
    for provider in both:
        with pytest.raises(LLMRefusedError, match="'gpt-9' does not exist") as caught:
            await provider.complete(asked)
        told.append(caught.value)

    assert told[0].may_be_billed == told[1].may_be_billed
