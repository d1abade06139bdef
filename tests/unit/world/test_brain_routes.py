"""The brain on the wire: spoken to by OpenAI's own client, and by hand."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import openai
import pytest
from fastapi.testclient import TestClient

from puppet_engine.core.clock import VirtualClock
from puppet_engine.world.app import create_world_app
from puppet_engine.world.brain.routes import create_brain_router
from puppet_engine.world.server import LoopbackServer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MESSAGES: list[Any] = [
    {"role": "system", "content": "You are dry."},
    {"role": "user", "content": "fog"},
]
KEY = {"Authorization": "Bearer any"}


def create_app() -> Any:
    return create_world_app([create_brain_router(seed=7, clock=VirtualClock(NOON))])


@pytest.fixture
def http() -> Iterator[TestClient]:
    with TestClient(create_app(), headers=KEY) as client:
        yield client


@pytest.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    server = LoopbackServer(create_app())
    url = await server.start()
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as made:
        yield made
    await server.stop()


async def test_a_completion_has_the_shape_that_the_sdk_reads(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="rehearsal-brain", messages=MESSAGES)

    assert answer.id.startswith("chatcmpl-")
    assert answer.created == NOON.timestamp()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_stream_says_the_same_in_pieces(client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="rehearsal-brain", messages=MESSAGES)
    stream = await client.chat.completions.create(
        model="rehearsal-brain",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    )

    chunks = [chunk async for chunk in stream]

    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert len(pieces) > 3
    assert "".join(pieces) == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage


async def test_a_limit_cuts_the_answer_and_says_so(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="rehearsal-brain", messages=MESSAGES, max_completion_tokens=2
    )

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


async def test_several_choices_differ(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="rehearsal-brain", messages=MESSAGES, n=3)

    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1


async def test_an_unknown_model_is_not_found(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await client.chat.completions.create(model="gpt-9", messages=MESSAGES)

    assert caught.value.code == "model_not_found"


async def test_the_models_are_listed(client: openai.AsyncOpenAI) -> None:
    models = [model.id async for model in client.models.list()]

    assert "rehearsal-brain" in models


def test_parts_of_a_message_are_read_together(http: TestClient) -> None:
    parts = [{"type": "text", "text": "fog"}]
    bodies = [
        {"model": "rehearsal-brain", "messages": [{"role": "user", "content": content}]}
        for content in (parts, "fog")
    ]

    one, other = (http.post("/v1/chat/completions", json=body).json() for body in bodies)

    assert one["choices"] == other["choices"]


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer "}]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "chat/completions"), ("GET", "models")])
def test_without_a_bearer_key_nobody_is_let_in(
    header: dict[str, str], method: str, path: str
) -> None:
    with TestClient(create_app(), headers=header) as stranger:
        answer = stranger.request(method, f"/v1/{path}", json={})

    assert answer.status_code == 401
    assert "API key" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "rehearsal-brain"}, "messages"),
        ({"model": "rehearsal-brain", "messages": []}, "messages"),
        ({"messages": MESSAGES}, "model"),
        ({"model": "rehearsal-brain", "messages": MESSAGES, "n": 0}, "n"),
        ({"model": "rehearsal-brain", "messages": MESSAGES, "tools": [{}]}, "tools"),
        ({"model": "rehearsal-brain", "messages": [{"role": "boss"}]}, "messages.0.role"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_name(
    body: dict[str, Any], param: str, http: TestClient
) -> None:
    answer = http.post("/v1/chat/completions", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_what_is_not_json_is_refused(http: TestClient) -> None:
    answer = http.post("/v1/chat/completions", content=b"{")

    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"act": {"type": "boolean"}, "why": {"type": "string", "maxLength": 40}},
    "required": ["act", "why"],
}


async def test_an_answer_in_a_form_fits_it_and_differs_by_seed(client: openai.AsyncOpenAI) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    decisions = []
    for seed in (1, 2, 3, 4, 1):
        answer = await client.chat.completions.create(
            model="rehearsal-brain", messages=MESSAGES, seed=seed, response_format=form
        )
        decisions.append(json.loads(answer.choices[0].message.content or ""))

    for decision in decisions:
        jsonschema.validate(decision, SCHEMA)
    assert decisions[0] == decisions[-1]
    assert len({json.dumps(decision) for decision in decisions}) > 2


@pytest.mark.parametrize("form", [{"type": "json_schema"}, {"type": "xml"}])
def test_a_form_that_is_none_is_refused(form: dict[str, str], http: TestClient) -> None:
    asked = {"model": "rehearsal-brain", "messages": MESSAGES, "response_format": form}

    refusal = http.post("/v1/chat/completions", json=asked)

    assert refusal.status_code == 400
    assert "response_format" in refusal.json()["error"]["message"]
