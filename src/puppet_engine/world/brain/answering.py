"""From a request to its answers: what the brain says, whichever way it was asked. Pure."""

import json
import random
from collections.abc import Sequence
from typing import Final

from puppet_engine.llm.examples import example_of
from puppet_engine.world.brain.wire import Answer, ChatRequest, limited
from puppet_engine.world.brain.writer import Message, write

TRUE_NAME: Final = "rehearsal-brain"

MODELS: Final = ("gpt-5-mini", TRUE_NAME)
"""The default of our settings, so that nothing but the address differs; and the true name."""


def answers_to(request: ChatRequest, *, seed: int) -> list[Answer]:
    """Return the choices that a request gets."""
    messages = [message.read() for message in request.messages]
    first = seed if request.seed is None else seed * 1_000_003 + request.seed
    numbers = (first + number for number in range(request.n))
    return [limited(_text(request, messages, number), request.limit) for number in numbers]


def _text(request: ChatRequest, messages: Sequence[Message], seed: int) -> str:
    text = write(seed, messages)
    if request.answer_schema is None:
        return text
    # It cannot judge; but what it decides fits the schema, differs by seed, and says something.
    chance = random.Random(f"{seed}\0{text}")  # noqa: S311 - chatter, not secrets
    return json.dumps(example_of(request.answer_schema, chance, say=lambda: text))
