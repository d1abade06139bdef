"""A provider without a model, for tests and dry runs."""

import hashlib

from typing_extensions import override

from puppet_engine.llm.base import CompletionRequest, LLMProvider


class FakeLLMProvider(LLMProvider):
    """Says back what it was asked: the same answer to the same request, at no cost.

    An answer begins with a digest of the whole request, so that answers
    to requests which only begin alike differ even when they are cut to a post.
    """

    @override
    async def complete(self, request: CompletionRequest) -> str:
        digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()[:8]
        return f"Answer {digest} to: {request.prompt}".strip()
