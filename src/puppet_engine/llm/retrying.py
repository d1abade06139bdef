"""Asking again, after a pause, what has certainly come to nothing."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from typing_extensions import override

from puppet_engine.core.errors import LLMUnavailableError
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.wrapper import WrapperProvider

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""In seconds. Who is to wait longer is told so, and comes again with the turn."""

Sleep = Callable[[float], Awaitable[None]]


class RetryingProvider(WrapperProvider):
    """Asks up to `attempts` times, with pauses that double and have some chance in them.

    A server's `Retry-After` is kept. A call that may be billed is not made again here:
    it is another call, and the turn that asks decides about it.
    Source of the pauses: M. Brooker, "Exponential Backoff and Jitter", 2015 (full jitter).
    """

    def __init__(
        self,
        inner: LLMProvider,
        *,
        attempts: int,
        chance: random.Random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._chance = chance
        self._sleep = sleep

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        for attempt in range(1, self._attempts):
            try:
                return await self.inner.complete(request)
            except LLMUnavailableError as error:
                pause = self._pause(attempt, error)
                if error.may_be_billed or error.usage is not None or pause > LONGEST_PAUSE:
                    raise
            await self._sleep(pause)
        return await self.inner.complete(request)

    def _pause(self, attempt: int, error: LLMUnavailableError) -> float:
        if error.retry_after is not None:
            return error.retry_after
        return self._chance.uniform(0, min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE))
