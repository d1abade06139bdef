"""What a life uses of others' services, and what that would cost for real."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.core.models import Noun

Dollars = Annotated[float, Field(ge=0)]

MILLION: Final = 1_000_000


class Usage(Noun):
    """What was used, as the servers counted it; an answer that was lost is counted too."""

    llm_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    x_requests: int = 0
    x_posts: int = 0
    x_replies: int = 0
    x_mentions_read: int = 0
    x_posts_read: int = 0


class ModelPrice(Noun):
    """What a language model costs, in US dollars for a million tokens."""

    model: str
    input_per_million: Dollars
    output_per_million: Dollars


class Cost(Noun):
    """What a life would cost, in US dollars."""

    model: ModelPrice
    llm: float
    x: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.llm + self.x


USUAL_PRICE: Final = ModelPrice(model="gpt-5-mini", input_per_million=0.25, output_per_million=2.0)
"""The model that settings name, at its list price of August 2025."""

X_PRICES: Final[Mapping[str, float]] = MappingProxyType(
    {"x_posts": 0.015, "x_replies": 0.010, "x_mentions_read": 0.001, "x_posts_read": 0.005}
)
"""X's list prices for pay-per-use since April 2026, in US dollars each."""

_MENTIONS: Final = re.compile(r"/2/users/\d+/mentions")


@dataclass(frozen=True)
class _Line:
    name: str
    amount: int


class Meter:
    """Counts what others answer."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, method: str, path: str, status: int, body: bytes) -> None:
        """Count one answer."""
        if path.startswith("/2/"):
            self._counts["x_requests"] += 1
        if status >= HTTPStatus.BAD_REQUEST:
            return
        for line in _lines(method, path, body):
            self._counts[line.name] += line.amount

    def count_completion(self, usage: ModelUsage) -> None:
        """Count one answer of a model."""
        self._counts["llm_calls"] += 1
        self._counts["prompt_tokens"] += usage.input_tokens
        self._counts["completion_tokens"] += usage.output_tokens

    def said(self, *, posts: int, replies: int) -> Usage:
        """Return what was used, for so many posts and replies that X took."""
        return Usage(**self._counts, x_posts=posts, x_replies=replies)


def _lines(method: str, path: str, body: bytes) -> list[_Line]:
    if method == "GET" and _MENTIONS.fullmatch(path):
        return [_Line("x_mentions_read", json.loads(body)["meta"]["result_count"])]
    if method == "GET" and path == "/2/tweets":
        return [_Line("x_posts_read", len(json.loads(body).get("data", ())))]
    return []


def price(usage: Usage, model: ModelPrice) -> Cost:
    """Return what was used, priced."""
    asked = usage.prompt_tokens * model.input_per_million
    answered = usage.completion_tokens * model.output_per_million
    on_x = sum(getattr(usage, name) * each for name, each in X_PRICES.items())
    return Cost(model=model, llm=round((asked + answered) / MILLION, 4), x=round(on_x, 4))


def read_price(text: str) -> ModelPrice:
    """Return the price that `gpt-5-mini=0.25/2` names.

    Raises:
        ConfigurationError: it names none.

    """
    model, _, prices = text.rpartition("=")
    asked, _, answered = prices.partition("/")
    try:
        return ModelPrice(
            model=model, input_per_million=float(asked), output_per_million=float(answered)
        )
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is no price: write MODEL=INPUT/OUTPUT, dollars for a million tokens each, "
            "such as gpt-5-mini=0.25/2"
        ) from None
