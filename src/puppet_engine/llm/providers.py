"""Which provider an operator asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.plugins import find_plugin
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import LLMProvider
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.llm.openai_provider import OpenAIProvider

PLUGIN_GROUP: Final = "puppet_engine.llm_providers"


def create_fake_provider(_settings: Settings) -> LLMProvider:
    """Return a provider without a model, whatever the settings."""
    return FakeLLMProvider()


BUILT_IN: Final[Mapping[str, Callable[[Settings], LLMProvider]]] = MappingProxyType(
    {"fake": create_fake_provider, "openai": OpenAIProvider}
)
"""`rehearsal` is not among them: the world that has the brain says where it is."""


def create_provider(settings: Settings) -> LLMProvider:
    """Return the provider that `settings.llm_provider` names; it connects when it is first used.

    Raises:
        ConfigurationError: there is no such provider, or a plug-in made something else.

    """
    make = find_plugin(PLUGIN_GROUP, settings.llm_provider, built_in=BUILT_IN)
    provider = make(settings)
    if not isinstance(provider, LLMProvider):
        raise ConfigurationError(
            f"the plug-in {settings.llm_provider!r} made {provider!r}, which is no LLMProvider"
        )
    return provider
