"""Who asks learns what was answered, and what that took, however it was asked."""

from typing_extensions import override

from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.wrapper import WrapperProvider


class TellingProvider(WrapperProvider):
    """Adds each completion to a list, the first one first."""

    def __init__(self, inner: LLMProvider, *, told: list[Completion]) -> None:
        super().__init__(inner)
        self._told = told

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        completion = await self.inner.complete(request)
        self._told.append(completion)
        return completion
