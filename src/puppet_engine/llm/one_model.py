"""One model for everybody, whichever their personas ask for."""

from typing_extensions import override

from puppet_engine.llm.base import Completion, CompletionRequest
from puppet_engine.llm.wrapper import WrapperProvider


class OneModelProvider(WrapperProvider):
    """Asks for the model of the settings: the rehearsal world has no other, nor has a stand-in."""

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        return await self.inner.complete(request.with_options(model=None))
