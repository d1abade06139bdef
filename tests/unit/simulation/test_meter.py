import pytest

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.simulation.meter import Meter, ModelPrice, price, read_price


def test_what_others_answer_is_counted_and_refusals_cost_nothing() -> None:
    meter = Meter()
    meter.count_completion(ModelUsage(input_tokens=700, output_tokens=30))
    meter.count("GET", "/2/users/12/mentions", 200, b'{"meta": {"result_count": 3}}')
    meter.count("GET", "/2/tweets", 200, b'{"data": [{}, {}]}')
    meter.count("GET", "/2/tweets", 200, b'{"errors": []}')
    meter.count("GET", "/2/users/12/mentions", 429, b"{}")
    meter.count("POST", "/world/x/accounts", 200, b"{}")

    used = meter.said(posts=5, replies=2)

    assert (used.llm_calls, used.prompt_tokens, used.completion_tokens) == (1, 700, 30)
    assert (used.x_requests, used.x_mentions_read, used.x_posts_read) == (4, 3, 2)
    assert (used.x_posts, used.x_replies) == (5, 2)


def test_a_price_is_by_the_million_tokens_and_by_what_x_asks_for_each() -> None:
    model = ModelPrice(model="m", input_per_million=2, output_per_million=10)
    usage = (
        Meter()
        .said(posts=100, replies=10)
        .model_copy(
            update={"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "x_posts_read": 200}
        )
    )

    cost = price(usage, model)

    assert cost.llm == 3
    assert cost.x == pytest.approx(100 * 0.015 + 10 * 0.010 + 200 * 0.005)
    assert cost.total == cost.llm + cost.x


def test_a_price_is_read_and_what_is_none_is_refused() -> None:
    assert read_price("grok=4=0.2/0.5") == ModelPrice(
        model="grok=4", input_per_million=0.2, output_per_million=0.5
    )
    for text in ("", "gpt", "gpt=1", "gpt=1/x", "gpt=-1/2"):
        with pytest.raises(ConfigurationError, match="is no price: write MODEL=INPUT/OUTPUT"):
            read_price(text)
