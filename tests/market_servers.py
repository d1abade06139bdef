"""Local servers that answer as the sources of prices do."""

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

Answer = tuple[int, str]
"""A status, and a body."""


@contextmanager
def serving(answers: Mapping[str, Answer]) -> Generator[str]:
    """Serve each path with its answer, everything else with 404; give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(urlsplit(self.path).path, (404, "{}"))
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Keep the output of the tests free of requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def yahoo_chart(ticker: str, closes: Mapping[int, float | None]) -> Answer:
    """Return what Yahoo's chart API says of a stock whose closes are given by their seconds."""
    meta = {
        "symbol": ticker,
        "currency": "EUR",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "timezone": "EST",
        "gmtoffset": -18000,
        "dataGranularity": "1mo",
        "range": "10y",
        "validRanges": ["1d", "10y", "max"],
        "priceHint": 2,
    }
    prices = list(closes.values())
    quote = dict.fromkeys(("open", "high", "low", "close"), prices)
    result = {
        "meta": meta,
        "timestamp": list(closes),
        "indicators": {
            "quote": [{**quote, "volume": [1_000] * len(prices)}],
            "adjclose": [{"adjclose": prices}],
        },
    }
    return 200, json.dumps({"chart": {"result": [result], "error": None}})


def yahoo_unknown() -> Answer:
    """Return what Yahoo's chart API says of a stock that it does not know."""
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    return 404, json.dumps({"chart": {"result": None, "error": error}})
