"""The world's brain as a provider, for whoever lives in its process."""

from typing import Final

from typing_extensions import override

from puppet_engine.core.errors import LLMRefusedError, LLMUnavailableError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.world.brain.answering import MODELS, TRUE_NAME, answers_to
from puppet_engine.world.brain.wire import (
    ChatRequest,
    NamedSchema,
    ResponseFormat,
    WireMessage,
    usage,
)


class BrainProvider(LLMProvider):
    """Answers to the letter as the world's server does to `OpenAIProvider`, without the wire.

    `own_seed` is the engine's, which goes with each request that has none of its own.
    """

    def __init__(self, *, seed: int, own_seed: int | None = None) -> None:
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
        text = answer.text.strip()
        if not text:
            raise LLMUnavailableError(
                f"the model returned an empty answer (finish_reason {answer.finish_reason!r}); "
                "with 'length', allow it more max_tokens",
                usage=took,
            )
        return Completion(text=text, model=asked.model, usage=took)

    def _asked(self, request: CompletionRequest) -> ChatRequest:
        options = request.options
        system = [WireMessage(role="system", content=options.system)] if options.system else []
        schema = options.answer_schema
        return ChatRequest(
            model=options.model or TRUE_NAME,
            messages=[*system, WireMessage(role="user", content=request.prompt)],
            seed=self._own_seed if options.seed is None else options.seed,
            max_tokens=options.max_tokens,
            response_format=None
            if schema is None
            else ResponseFormat(
                type="json_schema", json_schema=NamedSchema(name="answer", schema=schema)
            ),
        )
