"""A provider without a model, for tests and dry runs."""

import hashlib
import json
import random

from typing_extensions import override

from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.examples import example_of
from puppet_engine.llm.reckoning import reckoned


class FakeLLMProvider(LLMProvider):
    """Says back what it was asked: the same answer to the same request, at no cost.

    An answer begins with a digest of the request, so that answers to requests which only
    begin alike differ even when they are cut to a post. Where an object is to be answered,
    it is an example of its schema, and another one for another request.
    """

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        asked = request.model_dump_json(exclude={"agent_id": True})
        digest = hashlib.sha256(asked.encode()).hexdigest()[:8]
        text = f"Answer {digest} to: {request.prompt}".strip()
        if (schema := request.options.answer_schema) is not None:
            chance = random.Random(digest)  # noqa: S311 - an example, no secret
            text = json.dumps(example_of(schema, chance, say=lambda: f"Answer {digest}"))
        return Completion(text=text, model="fake", usage=reckoned(request, text))
