"""A provider without a model, for tests and dry runs."""

import hashlib
import json
import random
from typing import Final

from typing_extensions import override

from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.examples import example_of
from puppet_engine.llm.reckoning import reckoned

_WORDS: Final = 20
_LETTERS: Final = str.maketrans("0123456789abcdef", "bdfghklmnprstaei")


class FakeLLMProvider(LLMProvider):
    """Says back what it was asked: the same answer to the same request, at no cost.

    An answer begins with words made of the request's digest, so many that answers to requests
    which only begin alike are unlike each other even when they are cut to a post: who repeats
    itself is held back. Where an object is to be answered, it is an example of its schema, and
    another one for another request.
    """

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        asked = request.model_dump_json(exclude={"agent_id": True})
        words = _words(asked)
        text = f"Answer {' '.join(words)} to: {request.prompt}".strip()
        if (schema := request.options.answer_schema) is not None:
            chance = random.Random(words[0])  # noqa: S311 - an example, no secret
            text = json.dumps(example_of(schema, chance, say=lambda: f"Answer {words[0]}"))
        return Completion(text=text, model="fake", usage=reckoned(request, text))


def _words(asked: str) -> list[str]:
    """Return words that no other request has; letters alone, for who reads digits sees secrets."""
    digest = hashlib.shake_128(asked.encode()).hexdigest(4 * _WORDS).translate(_LETTERS)
    return [digest[at : at + 8] for at in range(0, len(digest), 8)]
