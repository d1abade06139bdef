"""Choosing a provider by name."""

import pytest

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.settings import Settings
from puppet_engine.llm import providers
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.llm.openai_provider import OpenAIProvider
from puppet_engine.llm.providers import create_provider


@pytest.mark.parametrize(("name", "kind"), [("fake", FakeLLMProvider), ("openai", OpenAIProvider)])
def test_a_provider_is_made_by_its_name(name: str, kind: type[object]) -> None:
    assert isinstance(create_provider(Settings(llm_provider=name)), kind)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"no 'opnai'; there are: .*fake.*openai"):
        create_provider(Settings(llm_provider="opnai"))


def test_a_plug_in_that_makes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "BUILT_IN", {"odd": lambda _settings: 42})

    with pytest.raises(ConfigurationError, match="'odd' made 42, which is no LLMProvider"):
        create_provider(Settings(llm_provider="odd"))


async def test_the_fake_says_back_what_it_was_asked() -> None:
    assert "Test prompt" in await FakeLLMProvider().generate_content("Test prompt", {})


async def test_posts_of_the_fake_differ_even_when_prompts_only_end_differently() -> None:
    long = "fog " * 100

    first = await FakeLLMProvider().generate_tweet(f"{long} one", {})
    second = await FakeLLMProvider().generate_tweet(f"{long} two", {})

    assert first != second
