from tests.fakes import ScriptedLLM

from puppet_engine.llm.one_model import OneModelProvider


async def test_a_persona_that_asks_for_a_model_gets_the_one_there_is() -> None:
    inner = ScriptedLLM("Hello.")

    said = await OneModelProvider(inner).generate_tweet("?", {"model": "gpt-x", "seed": 3})

    assert said == "Hello."
    assert inner.requests[0].options.model is None
    assert inner.requests[0].options.seed == 3
