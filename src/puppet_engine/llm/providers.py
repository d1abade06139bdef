"""Which provider an operator asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.plugins import find_plugin
from puppet_engine.core.settings import Settings
from puppet_engine.llm.anthropic_provider import AnthropicProvider
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.endpoints import endpoint_of
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.llm.gemini_provider import GeminiProvider
from puppet_engine.llm.openai_provider import OpenAIProvider

PLUGIN_GROUP: Final = "puppet_engine.llm_providers"


def create_fake_provider(_settings: Settings) -> LLMProvider:
    """Return a provider without a model, whatever the settings."""
    return FakeLLMProvider()


def _speaking_openais(name: str) -> Callable[[Settings], LLMProvider]:
    def create(settings: Settings) -> LLMProvider:
        return OpenAIProvider(settings, endpoint=endpoint_of(settings, name))

    return create


BUILT_IN: Final[Mapping[str, Callable[[Settings], LLMProvider]]] = MappingProxyType(
    {
        "fake": create_fake_provider,
        "openai": OpenAIProvider,
        "anthropic": AnthropicProvider,
        "gemini": GeminiProvider,
        **{name: _speaking_openais(name) for name in ("grok", "ollama", "vllm", "llamacpp")},
    }
)
"""`rehearsal` is not among them: the world that has the brain says where it is."""


def create_provider(settings: Settings, name: str | None = None) -> LLMProvider:
    """Return the provider of a name, or that which `settings.llm_provider` names.

    It connects when it is first used.

    Raises:
        ConfigurationError: there is no such provider, or a plug-in made something else.

    """
    wanted = settings.llm_provider if name is None else name
    make = find_plugin(PLUGIN_GROUP, wanted, built_in=BUILT_IN)
    provider = make(settings)
    if not isinstance(provider, LLMProvider):
        raise ConfigurationError(
            f"the plug-in {wanted!r} made {provider!r}, which is no LLMProvider"
        )
    return provider
