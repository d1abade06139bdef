"""One model for everybody, whichever their personas ask for."""

from typing_extensions import override

from puppet_engine.llm.base import CompletionRequest, LLMProvider


class OneModelProvider(LLMProvider):
    """Asks `provider` for the model of its settings: the rehearsal world has no other."""

    def __init__(self, provider: LLMProvider) -> None:
        self._provider = provider

    @override
    async def complete(self, request: CompletionRequest) -> str:
        options = request.options.model_copy(update={"model": None})
        return await self._provider.complete(request.model_copy(update={"options": options}))

    @override
    async def aclose(self) -> None:
        await self._provider.aclose()
