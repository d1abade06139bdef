"""Any server that speaks OpenAI's protocol: OpenAI, Grok, Ollama, vLLM, llama.cpp, our world."""

import asyncio
import inspect
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from puppet_engine.core.errors import (
    LLMError,
    LLMRefusedError,
    LLMUnavailableError,
    MissingCredentialError,
)
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.endpoints import Endpoint, endpoint_of
from puppet_engine.llm.reckoning import reckoned
from puppet_engine.llm.wire_errors import (
    connection_error,
    garbled_error,
    status_error,
    timeout_error,
)

if TYPE_CHECKING:
    import httpx2


_WISHES: Final = ("temperature", "seed")
"""What may be left out where a model does not take it, as those do not that think first."""


class OpenAIProvider(LLMProvider):
    """Asks at one `endpoint`; at `settings.openai_base_url`, or OpenAI, when none is given.

    A request is sent once. The SDK would send a request that timed out again, and each may be
    billed, so its own retries are off: whoever wants them wraps this provider.
    `transport` replaces the sockets.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        endpoint: Endpoint | None = None,
        transport: "httpx2.AsyncBaseTransport | None" = None,
    ) -> None:
        self.endpoint = endpoint or endpoint_of(settings, "openai")
        self._settings = settings
        self._transport = transport
        self._sdk: Any = None
        self._client: Any = None
        self._first_model: str | None = None
        self._spurned: defaultdict[str, set[str]] = defaultdict(set)

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        client = await self._opened()
        openai = self._sdk
        try:
            model = request.options.model or self.endpoint.model or await self._served(client)
            answer = await self._answer(client, self._arguments(request, model))
        except (openai.OpenAIError, ValueError) as error:
            raise self._translated(error) from error
        return self._completion(request, answer, model)

    async def _answer(self, client: Any, arguments: dict[str, Any]) -> Any:
        """Return the server's answer, asked without what it says its model does not take."""
        spurned = self._spurned[arguments["model"]]
        asked = {name: value for name, value in arguments.items() if name not in spurned}
        try:
            return await settled(client.chat.completions.create(**asked))
        except self._sdk.BadRequestError as error:
            new = {name for name in _WISHES if name in asked and name in f"{error}"}
            if not new:
                raise
            # It was refused unread and unbilled; from now on the model is asked without.
            spurned |= new
            return await self._answer(client, arguments)

    @override
    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await settled(client.close())

    async def _opened(self) -> Any:
        if self._sdk is None:
            # Others go on while it is read.
            self._sdk = await asyncio.to_thread(_sdk)
        if self._client is None:
            self._client = await settled(self._open())
        return self._client

    def _open(self) -> Any:
        openai, endpoint = self._sdk, self.endpoint
        key = endpoint.key()
        if endpoint.key_name and endpoint.name != "openai" and endpoint.api_key is None:
            raise MissingCredentialError(endpoint.title, [endpoint.key_name])
        try:
            # Looked up on the module at this moment, so that a test can put its own in place.
            return openai.AsyncOpenAI(
                api_key=key,
                base_url=endpoint.base_url,
                timeout=self._settings.llm_timeout_seconds,
                max_retries=0,
                **self._wire(),
            )
        except openai.OpenAIError as error:
            raise MissingCredentialError(endpoint.title, [endpoint.key_name]) from error

    def _wire(self) -> dict[str, Any]:
        if self._transport is None:
            return {}
        return {"http_client": self._sdk.DefaultAsyncHttpx2Client(transport=self._transport)}

    async def _served(self, client: Any) -> str:
        """Return the first model that the server has; it is asked once."""
        if self._first_model is None:
            page = await settled(client.models.list())
            names = [str(model.id) for model in getattr(page, "data", None) or ()]
            if not names:
                raise LLMUnavailableError(
                    f"{self.endpoint.where} has no model: give it one, or name one with "
                    f"PUPPET_{self.endpoint.name.upper()}_MODEL"
                )
            self._first_model = names[0]
        return self._first_model

    def _arguments(self, request: CompletionRequest, model: str) -> dict[str, Any]:
        options, settings = request.options, self._settings
        system = [{"role": "system", "content": options.system}] if options.system else []
        # OpenAI's reasoning models know the new name only, most other servers the old one only.
        limit = "max_tokens" if self.endpoint.base_url else "max_completion_tokens"
        arguments = {
            "temperature": options.temperature,
            limit: options.max_tokens,
            "seed": settings.seed if options.seed is None else options.seed,
            "response_format": _form(options.answer_schema),
        }
        return {
            "model": model,
            "messages": [*system, {"role": "user", "content": request.prompt}],
            **{name: value for name, value in arguments.items() if value is not None},
        }

    def _translated(self, error: Exception) -> LLMError:
        openai = self._sdk
        seconds = self._settings.llm_timeout_seconds
        if isinstance(error, openai.APITimeoutError):
            return timeout_error(self.endpoint, seconds, error.__cause__)
        if isinstance(error, openai.APIConnectionError):
            return connection_error(self.endpoint, error.__cause__ or error)
        if isinstance(error, openai.APIStatusError):
            headers = error.response.headers
            return status_error(self.endpoint, error.status_code, headers, f"{error}")
        return garbled_error(self.endpoint, error)

    def _completion(self, request: CompletionRequest, answer: Any, model: str) -> Completion:
        usage = _usage(answer)
        try:
            text = _text_of(answer, usage)
        except AttributeError as error:  # a page, say, and no object
            raise garbled_error(self.endpoint, error) from error
        named = getattr(answer, "model", None)
        return Completion(
            text=text,
            model=named if isinstance(named, str) and named else model,
            usage=usage or reckoned(request, text),
        )


def _sdk() -> Any:
    import openai  # noqa: PLC0415 - it takes a second or two, and only who asks it needs it

    return openai


async def settled(value: Any) -> Any:
    """Return the value, or what it comes to when it must be awaited.

    A stand-in for the SDK's client may answer at once.
    """
    return await value if inspect.isawaitable(value) else value


def _form(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    # Not strict: that would forbid fields with defaults, which pydantic does not require.
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _usage(answer: Any) -> ModelUsage | None:
    told = getattr(answer, "usage", None)
    asked, said = getattr(told, "prompt_tokens", None), getattr(told, "completion_tokens", None)
    if not isinstance(asked, int) or not isinstance(said, int):
        return None
    cached = getattr(getattr(told, "prompt_tokens_details", None), "cached_tokens", None)
    return ModelUsage(
        input_tokens=asked,
        cached_tokens=min(cached, asked) if isinstance(cached, int) else 0,
        output_tokens=said,
    )


def _text_of(answer: Any, usage: ModelUsage | None) -> str:
    if not answer.choices:
        raise LLMUnavailableError(
            "the model returned no choice at all; the same call may work",
            usage=usage,
            may_be_billed=usage is None,
        )
    message, reason = answer.choices[0].message, answer.choices[0].finish_reason
    if isinstance(refusal := getattr(message, "refusal", None), str) and refusal:
        raise LLMRefusedError(f"the model declined: {refusal}", usage=usage)
    text = (message.content or "").strip()
    if not text and reason == "content_filter":
        raise LLMRefusedError("the model declined: its filter held the answer back", usage=usage)
    if not text:
        raise LLMUnavailableError(
            f"the model returned an empty answer (finish_reason {reason!r}); "
            "with 'length', allow it more max_tokens",
            usage=usage,
        )
    return str(text)
