"""What every wrapper around a provider shares."""

from typing_extensions import override

from puppet_engine.llm.base import LLMProvider


class WrapperProvider(LLMProvider):
    """Does something of its own about the calls of the provider `inner`."""

    def __init__(self, inner: LLMProvider) -> None:
        self.inner = inner

    @override
    async def aclose(self) -> None:
        await self.inner.aclose()
