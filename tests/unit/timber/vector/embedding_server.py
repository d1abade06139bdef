"""A server that embeds by OpenAI's protocol, over real sockets, and fails on demand."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from typing_extensions import override

from timber.common.vector.embedders.static import StaticTable

AT_ONCE = {"retry-after-ms": "1"}
"""Tells the client not to wait before it tries again."""


@dataclass
class EmbeddingServer:
    """What the server does, and what it was asked."""

    url: str = ""
    failures: list[tuple[int, str]] = field(default_factory=list)
    """Status and message of the next answers, before it embeds again."""
    shuffled: bool = False
    """Whether vectors come in another order than their texts."""
    forgetful: bool = False
    """Whether the last text of each request gets no vector."""
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    table: StaticTable = field(default_factory=StaticTable)

    def answer(self, request: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Return the status and the body for a request."""
        self.requests.append(request)
        if self.failures:
            status, message = self.failures.pop(0)
            return status, {"error": {"message": message, "type": "test"}}
        vectors = self.table.generate_embeddings_batch(request["input"])
        vectors = vectors[:, : request.get("dimensions")]
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, request)}
            for index, vector in enumerate(vectors)
        ]
        if self.shuffled:
            data.reverse()
        if self.forgetful:
            data.pop()
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return 200, {"object": "list", "data": data, "model": request["model"], "usage": usage}


def _encoded(vector: Any, request: Mapping[str, Any]) -> object:
    if request.get("encoding_format") == "base64":
        return base64.b64encode(vector.astype(np.float32).tobytes()).decode()
    return vector.tolist()


@contextmanager
def serving() -> Iterator[EmbeddingServer]:
    """Serve for the length of a block."""
    told = EmbeddingServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            told.keys.append(self.headers.get("authorization"))
            status, body = told.answer(json.loads(self.rfile.read(length)))
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            for name, value in AT_ONCE.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing; the tests ask what they want to know."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
