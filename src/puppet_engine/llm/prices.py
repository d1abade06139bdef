"""What calls cost, in micro-dollars. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

from genai_prices import Usage, calc_price

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.endpoints import Endpoint

DOLLAR: Final = 1_000_000
"""In micro-dollars."""

MILLION: Final = 1_000_000

_LISTED: Final = {"openai": "openai", "grok": "x-ai", "anthropic": "anthropic", "gemini": "google"}
"""Our names of vendors, and those of the price list (the package `genai-prices`)."""


@dataclass(frozen=True)
class OwnPrice:
    """A price that an operator set, in US dollars for a million tokens."""

    input: float
    output: float


class PriceList:
    """The vendors' list prices, and those that an operator set, which go first."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        """Read prices such as `my-model=0.25/2`.

        Raises:
            ConfigurationError: one of them is none.

        """
        self._own = dict(map(_read, own))

    def cost(self, endpoint: Endpoint, model: str, usage: ModelUsage, *, at: datetime) -> int:
        """Return what a call costs, rounded up to a micro-dollar.

        Raises:
            ConfigurationError: nobody knows what the model costs.

        """
        if model in self._own:
            own = self._own[model]
            dollars = usage.input_tokens * own.input + usage.output_tokens * own.output
            return math.ceil(round(dollars / MILLION * DOLLAR, 6))
        if endpoint.is_free or endpoint.name not in _LISTED:
            return 0  # a plug-in tells the cost of each completion itself
        asked = Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
        )
        try:
            found = calc_price(
                asked,
                model_ref=model,
                provider_id=_LISTED[endpoint.name],
                genai_request_timestamp=at,
            )
        except LookupError as error:
            raise ConfigurationError(
                f"nobody knows what {model!r} at {endpoint.where} costs, so no budget can hold it:"
                f" set PUPPET_LLM_PRICES={model}=0.25/2 (US dollars for a million tokens of input"
                " and of output), or PUPPET_MAX_MODEL_MICRODOLLARS_PER_DAY=null for no limit"
            ) from error
        exact = Decimal(found.total_price) * DOLLAR
        return int(exact.to_integral_value(rounding=ROUND_CEILING))


def _read(text: str) -> tuple[str, OwnPrice]:
    model, _, prices = text.rpartition("=")
    asked, _, answered = prices.partition("/")
    try:
        price = OwnPrice(float(asked), float(answered))
    except ValueError:
        price = OwnPrice(math.nan, math.nan)
    if not model or not all(
        math.isfinite(each) and each >= 0 for each in (price.input, price.output)
    ):
        raise ConfigurationError(
            f"{text!r} in PUPPET_LLM_PRICES is no price: write MODEL=INPUT/OUTPUT, US dollars for "
            "a million tokens each, such as my-model=0.25/2"
        )
    return model, price
