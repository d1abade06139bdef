"""On whose account a model is asked."""

from typing_extensions import override

from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.wrapper import WrapperProvider


class AccountProvider(WrapperProvider):
    """Asks on the account of one agent."""

    def __init__(self, inner: LLMProvider, *, agent_id: str) -> None:
        super().__init__(inner)
        self._agent_id = agent_id

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        return await self.inner.complete(request.model_copy(update={"agent_id": self._agent_id}))
