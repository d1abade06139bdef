"""Leaving a model alone that fails for everybody."""

import logging

from typing_extensions import override

from puppet_engine.core.breaker import BreakerState, CircuitBreaker
from puppet_engine.core.clock import Clock
from puppet_engine.core.errors import CircuitOpenError, LLMError, LLMUnavailableError
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.wrapper import WrapperProvider

log = logging.getLogger(__name__)


class BreakingProvider(WrapperProvider):
    """Asks as long as answers come; after some failures in a row nobody is asked for a while.

    An answer of no is an answer: only what is out of reach or overloaded counts as a failure.
    """

    def __init__(self, inner: LLMProvider, *, name: str, clock: Clock) -> None:
        super().__init__(inner)
        self.breaker = CircuitBreaker(name, clock=clock)
        self._clock = clock

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        self._admit()
        try:
            completion = await self.inner.complete(request)
        except LLMUnavailableError as error:
            self._fail(error)
            raise
        except LLMError:
            self.breaker.succeed()
            raise
        except BaseException:
            self.breaker.withdraw()
            raise
        self.breaker.succeed()
        return completion

    def _admit(self) -> None:
        try:
            self.breaker.admit()
        except CircuitOpenError as error:
            pause = (error.resets_at - self._clock.now()).total_seconds()
            raise LLMUnavailableError(f"{error}", retry_after=max(0.0, pause)) from error

    def _fail(self, error: LLMUnavailableError) -> None:
        was = self.breaker.state
        self.breaker.fail()
        if self.breaker.state is BreakerState.OPEN and was is not BreakerState.OPEN:
            log.warning(
                "%s is left alone until %s: %s", self.breaker.network, self.breaker.opens_at, error
            )
