"""A server that speaks OpenAI's protocol and answers what it is told to."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from puppet_engine.world.server import LoopbackServer


def completion(text: str | None, *, finish: str = "stop", refusal: str | None = None) -> Any:
    """Return the body of a completion."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }


class ScriptedServer:
    """Answers every request with `status` and `body`, and keeps the requests."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = completion("Fog again.")
        self.silent = False
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        app = FastAPI()
        app.add_api_route("/v1/chat/completions", self._answer, methods=["POST"])
        self._server = LoopbackServer(app, grace_seconds=0)
        self.url = ""

    async def start(self) -> None:
        self.url = f"{await self._server.start()}/v1"

    async def stop(self) -> None:
        await self._server.stop()

    async def _answer(self, request: Request) -> Response:
        self.requests.append(await request.json())
        self.keys.append(request.headers["authorization"])
        if self.silent:
            await asyncio.Event().wait()
        return JSONResponse(self.body, status_code=self.status)
