"""OpenAI's chat completions over HTTP, with the brain behind them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError

from puppet_engine.core.clock import Clock
from puppet_engine.world.brain.answering import MODELS, answers_to
from puppet_engine.world.brain.wire import (
    Answer,
    ChatRequest,
    chunks,
    completion,
    problem,
)


def create_brain_router(*, seed: int, clock: Clock, models: Sequence[str] = MODELS) -> APIRouter:
    """Return the routes under `/v1`. Any Bearer key is good; none is refused.

    An answer depends on `seed`, on the request's own seed and on its messages, on nothing else.
    """
    router = APIRouter(prefix="/v1", tags=["brain"])

    @router.get("/models")
    async def list_models(request: Request) -> Response:
        if (refusal := _unauthorized(request)) is not None:
            return refusal
        created = int(clock.now().timestamp())
        data = [
            {"id": name, "object": "model", "created": created, "owned_by": "rehearsal"}
            for name in models
        ]
        return JSONResponse({"object": "list", "data": data})

    @router.post("/chat/completions")
    async def complete(request: Request) -> Response:
        if (refusal := _unauthorized(request)) is not None:
            return refusal
        try:
            asked = ChatRequest.model_validate_json(await request.body())
        except ValidationError as error:
            return _invalid(error)
        if asked.model not in models:
            return _unknown_model(asked.model, models)
        created = int(clock.now().timestamp())
        return _answered(asked, answers_to(asked, seed=seed), created=created)

    return router


def _answered(request: ChatRequest, answers: list[Answer], *, created: int) -> Response:
    digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
    named: dict[str, Any] = {"answer_id": f"chatcmpl-{digest[:29]}", "created": created}
    if not request.stream:
        return JSONResponse(completion(request, answers, **named))
    return StreamingResponse(
        _events(chunks(request, answers, **named)), media_type="text/event-stream"
    )


def _events(bodies: list[dict[str, Any]]) -> Iterator[str]:
    for body in bodies:
        yield f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"


def _unauthorized(request: Request) -> Response | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return None
    body = problem(
        "You didn't provide an API key. Send it as `Authorization: Bearer KEY`; any key will do.",
        kind="invalid_request_error",
    )
    return JSONResponse(body, status_code=401, headers={"WWW-Authenticate": "Bearer"})


def _invalid(error: ValidationError) -> Response:
    first = error.errors(include_url=False, include_context=False)[0]
    param = ".".join(map(str, first["loc"])) or None
    message = f"Invalid value for {param!r}: {first['msg']}." if param else f"{first['msg']}."
    body = problem(message, kind="invalid_request_error", param=param, code="invalid_value")
    return JSONResponse(body, status_code=400)


def _unknown_model(name: str, models: Sequence[str]) -> Response:
    body = problem(
        f"The model {name!r} does not exist; there are: {', '.join(models)}.",
        kind="invalid_request_error",
        param="model",
        code="model_not_found",
    )
    return JSONResponse(body, status_code=404)
