"""Local servers that speak the protocols of vendors, with the rehearsal brain behind them.

Each answers as the real one does, or fails in one of the ways that real ones fail.
"""

import asyncio
import json
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send
from typing_extensions import override

from puppet_engine.world.brain.writer import Message, write
from puppet_engine.world.server import LoopbackServer


class Fault(StrEnum):
    """A way to fail."""

    SILENT = "silent"
    """No answer, ever."""
    CUT = "cut"
    """The connection ends in the middle of an answer."""
    PAGE = "page"
    """A page of HTML, with status 200."""
    GARBAGE = "garbage"
    """JSON that breaks off, with status 200."""
    NONSENSE = "nonsense"
    """Whole JSON of another kind, with status 200."""
    REFUSAL = "refusal"
    """The model declines."""
    EMPTY = "empty"
    """An answer without text, which is billed."""


@dataclass(frozen=True)
class Trouble:
    """An answer with an error's status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "no such luck"


@dataclass(frozen=True)
class Asked:
    """A request, as a server read it."""

    path: str
    model: str
    system: str
    prompt: str
    roles: tuple[str, ...]
    """Of the messages, in their order."""
    seed: int | None
    schema: Any
    key: str
    body: dict[str, Any]


class WireServer(ABC):
    """Answers as a vendor does; `faults` are met one after the other before it does."""

    url_suffix = ""

    def __init__(self) -> None:
        self.faults: list[Fault | Trouble] = []
        self.always: Fault | Trouble | None = None
        self.text: str | None = None
        """What is answered instead of the brain's words."""
        self.requests: list[Asked] = []
        self.model_names = ["local-1", "local-2"]
        self._server = LoopbackServer(self._serve, grace_seconds=0)
        self.url = ""
        self._place: socket.socket | None = None

    async def start(self) -> None:
        self.url = f"{await self._server.start()}{self.url_suffix}"

    async def stop(self) -> None:
        await self._server.stop()
        if self._place is not None:
            self._place.close()

    async def vanish(self) -> None:
        """Stop, and let nobody else listen where it was: other tests' servers take any port."""
        await self._server.stop()
        address = urlsplit(self.url)
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind((address.hostname, address.port))

    # ---------------------------------------------------------------- the vendor's

    @abstractmethod
    def read(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Asked: ...

    @abstractmethod
    def answer(self, asked: Asked, text: str) -> Any: ...

    @abstractmethod
    def refusal(self, asked: Asked) -> Any: ...

    @abstractmethod
    def problem(self, trouble: Trouble) -> Any: ...

    # ---------------------------------------------------------------- HTTP

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = await _body(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["method"] == "GET":
            models = [{"id": name, "object": "model"} for name in self.model_names]
            await _answer(send, 200, json.dumps({"object": "list", "data": models}))
            return
        asked = self.read(scope["path"], headers, json.loads(body))
        self.requests.append(asked)
        fault = self.faults.pop(0) if self.faults else self.always
        if isinstance(fault, Trouble):
            await _answer(send, fault.status, json.dumps(self.problem(fault)), fault.headers)
        elif fault is None:
            await _answer(send, 200, json.dumps(self.answer(asked, self._words(asked))))
        else:
            await self._fail(fault, asked, send)

    def _words(self, asked: Asked) -> str:
        if self.text is not None:
            return self.text
        messages = [Message("system", asked.system), Message("user", asked.prompt)]
        return write(asked.seed or 7, messages)

    async def _fail(self, fault: Fault, asked: Asked, send: Send) -> None:
        if fault is Fault.SILENT:
            await asyncio.Event().wait()
        if fault is Fault.CUT:
            length = [(b"content-type", b"application/json"), (b"content-length", b"100000")]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            await send({"type": "http.response.body", "body": b'{"id":', "more_body": True})
            raise asyncio.CancelledError
        if fault is Fault.PAGE:
            html = {"content-type": "text/html"}
            await _answer(send, 200, "<html><h1>Welcome to the wifi</h1></html>", html)
            return
        bodies = {
            Fault.GARBAGE: '{"id": "x", "choices": [',
            Fault.NONSENSE: '{"weather": "fog"}',
            Fault.REFUSAL: json.dumps(self.refusal(asked)),
            Fault.EMPTY: json.dumps(self.answer(asked, "")),
        }
        await _answer(send, 200, bodies[fault])


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(
    send: Send, status: int, body: str, headers: Mapping[str, str] | None = None
) -> None:
    all_headers = {"content-type": "application/json", **(headers or {})}
    coded = [(name.lower().encode(), value.encode()) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": coded})
    await send({"type": "http.response.body", "body": body.encode()})


class OpenAIServer(WireServer):
    """`POST /v1/chat/completions`."""

    url_suffix = "/v1"

    @override
    def read(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Asked:
        messages = body["messages"]
        by_role = {message["role"]: message["content"] for message in messages}
        form = body.get("response_format") or {}
        return Asked(
            path=path,
            model=body["model"],
            system=by_role.get("system", ""),
            prompt=by_role["user"],
            roles=tuple(message["role"] for message in messages),
            seed=body.get("seed"),
            schema=form.get("json_schema", {}).get("schema"),
            key=headers["authorization"],
            body=body,
        )

    @override
    def answer(self, asked: Asked, text: str) -> Any:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": asked.model,
            "choices": [_choice(text, None)],
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 40},
            },
        }

    @override
    def refusal(self, asked: Asked) -> Any:
        return {**self.answer(asked, ""), "choices": [_choice(None, "I would rather not.")]}

    @override
    def problem(self, trouble: Trouble) -> Any:
        return {"error": {"message": trouble.message, "type": "x", "param": None, "code": None}}


def _choice(text: str | None, refusal: str | None) -> Any:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {"index": 0, "message": message, "finish_reason": "stop"}


class AnthropicServer(WireServer):
    """`POST /v1/messages`."""

    @override
    def read(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Asked:
        assert headers["anthropic-version"]
        assert body["max_tokens"] > 0
        assert set(body) <= {"model", "max_tokens", "messages", "system", "output_config"}
        form = (body.get("output_config") or {}).get("format") or {}
        return Asked(
            path=path,
            model=body["model"],
            system=body.get("system", ""),
            prompt=body["messages"][0]["content"],
            roles=tuple(message["role"] for message in body["messages"]),
            seed=None,
            schema=form.get("schema"),
            key=headers["authorization"],
            body=body,
        )

    @override
    def answer(self, asked: Asked, text: str) -> Any:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [{"type": "text", "text": text}] if text else [],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 50,
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 10,
                "output_tokens": 20,
            },
        }

    @override
    def refusal(self, asked: Asked) -> Any:
        return {**self.answer(asked, "I would rather not."), "stop_reason": "refusal"}

    @override
    def problem(self, trouble: Trouble) -> Any:
        return {"type": "error", "error": {"type": "x_error", "message": trouble.message}}


class GeminiServer(WireServer):
    """`POST /v1beta/models/{model}:generateContent`."""

    @override
    def read(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Asked:
        settings = body.get("generationConfig", {})
        system = body.get("systemInstruction", {}).get("parts", [])
        return Asked(
            path=path,
            model=path.rpartition("/")[2].removesuffix(":generateContent"),
            system="".join(part["text"] for part in system),
            prompt="".join(part["text"] for part in body["contents"][0]["parts"]),
            roles=tuple(content["role"] for content in body["contents"]),
            seed=settings.get("seed"),
            schema=settings.get("responseJsonSchema"),
            key=headers["x-goog-api-key"],
            body=body,
        )

    @override
    def answer(self, asked: Asked, text: str) -> Any:
        thought = {"text": "Let me see.", "thought": True}
        parts = [thought, {"text": text}] if text else [thought]
        return {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
            "modelVersion": asked.model,
            "usageMetadata": {
                "promptTokenCount": 100,
                "cachedContentTokenCount": 40,
                "candidatesTokenCount": 15,
                "thoughtsTokenCount": 5,
                "totalTokenCount": 120,
            },
        }

    @override
    def refusal(self, asked: Asked) -> Any:
        usage = {"promptTokenCount": 100, "totalTokenCount": 100}
        blocked = {"blockReason": "PROHIBITED_CONTENT"}
        return {"promptFeedback": blocked, "usageMetadata": usage, "modelVersion": asked.model}

    @override
    def problem(self, trouble: Trouble) -> Any:
        return {"error": {"code": trouble.status, "message": trouble.message, "status": "X"}}
