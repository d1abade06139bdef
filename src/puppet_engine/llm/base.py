"""The port to a language model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from puppet_engine.core.errors import LLMRefusedError, UnusableAnswerError
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.llm.typed_answers import asking_for, corrected, read_answer
from puppet_engine.style.weight import POST_WEIGHT, weighted_length

POST_CHARACTERS: Final = POST_WEIGHT
"""The weight of a post on X, whose rules are the strictest we meet."""

T = TypeVar("T", bound=BaseModel)


class CompletionOptions(BaseModel):
    """How a completion is to be made; the `options` of `generate_content` hold these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    """Which of the provider's models answers; the one of the settings when unset."""
    system: str = ""
    """Who speaks: the persona's prompt."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    seed: int | None = None
    """Makes the answer repeatable where the provider can."""
    answer_schema: dict[str, Any] | None = None
    """The JSON Schema of the object that the answer is to be; any text when unset."""


class CompletionRequest(BaseModel):
    """One question to a language model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str
    options: CompletionOptions = CompletionOptions()
    agent_id: str = ""
    """On whose account it is asked; nobody's when empty. The model is not told."""

    def with_options(self, **changes: Any) -> "CompletionRequest":
        """Return the request with some of its options changed."""
        options = self.options.model_copy(update=changes)
        return self.model_copy(update={"options": options})


class Completion(BaseModel):
    """What a model answered, and what that took."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    """Stripped, and never empty."""
    model: str = ""
    """Who answered, as the server calls it."""
    usage: ModelUsage = ModelUsage()
    cost: Annotated[int, Field(ge=0)] = 0
    """In micro-dollars, as far as anybody reckons it up; an answer out of a journal keeps what it
    cost when it was given."""


class LLMProvider(ABC):
    """Answers prompts. A wrapper overrides `complete` only."""

    @abstractmethod
    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the model's answer.

        Raises:
            LLMUnavailableError: no answer now; the same request may work later.
            LLMRefusedError: the request will not be answered.
            ModelBudgetError: the agent has used up what it may use today.
            MissingCredentialError: the provider has no key.

        """

    async def complete_as(self, request: CompletionRequest, schema: type[T]) -> "TypedAnswer[T]":
        """Return an answer in the form of a pydantic model; one that does not fit is asked again.

        Raises what `complete` raises, and `UnusableAnswerError` when the second does not fit.
        """
        asked = request.with_options(answer_schema=schema.model_json_schema())
        asked = asked.model_copy(update={"prompt": asking_for(request.prompt, schema)})
        first = await self.complete(asked)
        try:
            return TypedAnswer(read_answer(first.text, schema), (first,))
        except UnusableAnswerError as error:
            again = asked.model_copy(update={"prompt": corrected(asked.prompt, f"{error}")})
            second = await self.complete(again)
            return TypedAnswer(read_answer(second.text, schema), (first, second))

    async def generate_content(self, prompt: str, options: Mapping[str, Any]) -> str:
        """Return a text of any length. `options` holds fields of `CompletionOptions`.

        Raises what `complete` raises, and `LLMRefusedError` for an option that does not exist.
        """
        request = CompletionRequest(prompt=prompt, options=read_options(options))
        return (await self.complete(request)).text

    async def generate_tweet(self, prompt: str, options: Mapping[str, Any]) -> str:
        """Return a text fit to be posted: one paragraph, unquoted, not over 280 as X weighs it.

        Raises what `generate_content` raises.
        """
        return as_post(await self.generate_content(prompt, options))

    async def aclose(self) -> None:
        """Release connections. Using the provider again opens new ones."""


@dataclass(frozen=True)
class TypedAnswer(Generic[T]):
    """An answer in the form that was asked for, and every completion that it took."""

    value: T
    completions: tuple[Completion, ...]


def as_post(text: str) -> str:
    """Return a text as it is fit to be posted: one paragraph, unquoted, not over 280 on X."""
    return shorten(as_paragraph(text), POST_CHARACTERS)


def as_paragraph(text: str) -> str:
    """Return a text of any length as one paragraph, unquoted."""
    return unquote(" ".join(text.split()))


def read_options(options: Mapping[str, Any]) -> CompletionOptions:
    """Return options as they are given to `generate_content`; raises `LLMRefusedError`."""
    try:
        return CompletionOptions.model_validate(options)
    except ValidationError as error:
        known = ", ".join(CompletionOptions.model_fields)
        raise LLMRefusedError(f"the options do not fit; there are: {known}\n{error}") from error


def unquote(text: str) -> str:
    """Return `text` without the quotation marks that models like to put around a post."""
    for opening, closing in ('""', "''", "“”", "«»"):
        inner = text[1:-1]
        if len(text) > 1 and text[0] == opening and text[-1] == closing and opening not in inner:
            return inner.strip()
    return text


def shorten(text: str, limit: int) -> str:
    """Return the whole sentences of `text`, else words, that weigh `limit` at the most."""
    if weighted_length(text) <= limit:
        return text
    cut = text[:limit]
    while weighted_length(f"{cut}…") > limit:
        cut = cut[:-1]
    for end in (". ", "! ", "? ", "… "):
        if (at := f"{cut} ".rfind(end)) > len(cut) // 2:
            return cut[: at + 1]
    return cut.rsplit(" ", 1)[0].rstrip(",;:-") + "…"
