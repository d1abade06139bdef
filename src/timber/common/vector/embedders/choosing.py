"""The embedder that the settings name."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from timber.common.documents.validation import closest
from timber.common.errors import ConfigurationError
from timber.common.settings import TimberSettings
from timber.common.vector.base import Embedder
from timber.common.vector.embedders.fastembed import FastEmbed
from timber.common.vector.embedders.minilm import MiniLM
from timber.common.vector.embedders.multilingual import MultilingualE5
from timber.common.vector.embedders.openai_compatible import Endpoint, OpenAICompatible
from timber.common.vector.embedders.static import StaticTable
from timber.common.vector.embedders.words_only import WordsOnly


def create_embedder(settings: TimberSettings) -> Embedder:
    """Return the embedder that `settings.embedder` names; it loads when it is first used.

    Whoever asks for `minilm` gets the same one, so that a process loads it once.

    Raises:
        ConfigurationError: there is no such embedder.

    """
    name, colon, model = settings.embedder.partition(":")
    if colon and name in _OF_A_MODEL:
        if not model:
            raise ConfigurationError(
                f"the embedder {settings.embedder!r} names no model: {_known()}"
            )
        return _OF_A_MODEL[name](model, settings)
    if not colon and name in _BY_THEMSELVES:
        return _BY_THEMSELVES[name](settings)
    hint = closest(name, (*_BY_THEMSELVES, *_OF_A_MODEL))
    raise ConfigurationError(f"no embedder {settings.embedder!r}{hint}; {_known()}")


def _fastembed(model: str, settings: TimberSettings) -> Embedder:
    return FastEmbed(
        model, threads=settings.embedder_threads, cache_dir=settings.embedder_cache_dir
    )


def _openai(model: str, settings: TimberSettings) -> Embedder:
    key = settings.embedder_api_key
    endpoint = Endpoint(
        url=settings.embedder_url,
        api_key=key.get_secret_value() if key else None,
        timeout_seconds=settings.embedder_timeout_seconds,
    )
    return OpenAICompatible(model, endpoint=endpoint, dimension=settings.embedder_dimension)


@cache
def _minilm(*, threads: int, process: int) -> MiniLM:  # noqa: ARG001 - a fork has no threads of it
    return MiniLM(threads=threads)


_BY_THEMSELVES: Final[Mapping[str, Callable[[TimberSettings], Embedder]]] = MappingProxyType(
    {
        "minilm": lambda settings: _minilm(threads=settings.embedder_threads, process=os.getpid()),
        "multilingual": lambda settings: MultilingualE5(threads=settings.embedder_threads),
        "static": lambda _settings: StaticTable(),
        "none": lambda _settings: WordsOnly(),
    }
)
_OF_A_MODEL: Final[Mapping[str, Callable[[str, TimberSettings], Embedder]]] = MappingProxyType(
    {"fastembed": _fastembed, "openai": _openai}
)


def _known() -> str:
    named = [*_BY_THEMSELVES, *(f"{name}:<model>" for name in _OF_A_MODEL)]
    return f"set TIMBER_EMBEDDER to one of {', '.join(named)}"
