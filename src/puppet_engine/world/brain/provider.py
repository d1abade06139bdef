"""The world's brain as a provider, for whoever lives in its process."""

from typing import Any, Final

from typing_extensions import override

from puppet_engine.core.errors import LLMRefusedError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.world.brain.answering import MODELS, TRUE_NAME, answers_to
from puppet_engine.world.brain.wire import (
    ChatRequest,
    ResponseFormat,
    WireMessage,
    usage,
)


class BrainProvider(LLMProvider):
    """Answers to the letter as the world's server does to `OpenAIProvider`, without the wire.

    `own_seed` is the engine's, which goes with each request that has none of its own.
    """

    def __init__(self, *, seed: int, own_seed: int) -> None:
        self._seed: Final = seed
        self._own_seed: Final = own_seed

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        asked = self._asked(request)
        if asked.model not in MODELS:
            known = ", ".join(MODELS)
            raise LLMRefusedError(f"the model {asked.model!r} does not exist; there are: {known}")
        [answer] = answers_to(asked, seed=self._seed)
        counted = usage(asked, [answer])
        took = ModelUsage(
            input_tokens=counted["prompt_tokens"], output_tokens=counted["completion_tokens"]
        )
        # It is never at a loss for words, so there is no empty answer to look for.
        return Completion(text=answer.text.strip(), model=asked.model, usage=took)

    def _asked(self, request: CompletionRequest) -> ChatRequest:
        options = request.options
        system = [WireMessage(role="system", content=options.system)] if options.system else []
        schema = options.answer_schema
        return ChatRequest(
            model=options.model or TRUE_NAME,
            messages=[*system, WireMessage(role="user", content=request.prompt)],
            seed=self._own_seed if options.seed is None else options.seed,
            max_tokens=options.max_tokens,
            response_format=None if schema is None else _form(schema),
        )


def _form(schema: dict[str, Any]) -> ResponseFormat:
    named = {"name": "answer", "schema": schema}
    return ResponseFormat.model_validate({"type": "json_schema", "json_schema": named})
