"""Asking somebody else where the first does not answer."""

import contextlib
import logging
from collections.abc import Sequence

from typing_extensions import override

from puppet_engine.core.errors import (
    LLMUnavailableError,
    MissingCredentialError,
    ModelBudgetError,
)
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider

log = logging.getLogger(__name__)


class FallbackProvider(LLMProvider):
    """Asks `providers` in their order until one answers.

    A stand-in is asked when one before it is out of reach, overloaded, without a key, or more
    than the agent's budget has left: one of one's own costs nothing.
    When a model declines, so that is its answer: nobody is asked behind its back.
    """

    def __init__(self, providers: Sequence[LLMProvider]) -> None:
        self._providers = tuple(providers)

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        *others, last = self._providers
        for provider in others:
            try:
                return await provider.complete(request)
            except (LLMUnavailableError, MissingCredentialError, ModelBudgetError) as error:
                log.warning("a stand-in is asked, for: %s", error)
        return await last.complete(request)

    @override
    async def aclose(self) -> None:
        async with contextlib.AsyncExitStack() as parts:
            for provider in self._providers:
                parts.push_async_callback(provider.aclose)
