"""Any server that speaks OpenAI's protocol: OpenAI, Grok, Ollama, vLLM, llama.cpp, our world."""

import inspect
from typing import TYPE_CHECKING, Any, Final

import openai
from typing_extensions import override

from puppet_engine.core.errors import (
    LLMError,
    LLMRefusedError,
    LLMUnavailableError,
    MissingCredentialError,
)
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import CompletionRequest, LLMProvider

if TYPE_CHECKING:
    import httpx2

_TRY_LATER: Final = {408, 409, 425, 429}
"""Client errors that say nothing against the request itself."""


class OpenAIProvider(LLMProvider):
    """Asks one model at `settings.openai_base_url`, or at OpenAI when that is unset.

    A request is sent once. The SDK would send a request that timed out again, and each may be
    billed, so its own retries are off: whoever wants them wraps this provider.
    `transport` replaces the sockets.
    """

    def __init__(
        self, settings: Settings, *, transport: "httpx2.AsyncBaseTransport | None" = None
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._client: Any = None

    @override
    async def complete(self, request: CompletionRequest) -> str:
        client = await self._opened()
        try:
            answer = await _settled(client.chat.completions.create(**self._arguments(request)))
        except openai.OpenAIError as error:
            raise self._translated(error) from error
        return _text_of(answer)

    @override
    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await _settled(client.close())

    async def _opened(self) -> Any:
        if self._client is None:
            self._client = await _settled(self._open())
        return self._client

    def _open(self) -> Any:
        settings = self._settings
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
        if key is None and settings.openai_base_url is not None:
            key = "none"  # local servers ask for no key, the SDK does
        try:
            # Looked up on the module at this moment, so that a test can put its own in place.
            return openai.AsyncOpenAI(
                api_key=key,
                base_url=settings.openai_base_url,
                timeout=settings.llm_timeout_seconds,
                max_retries=0,
                **self._wire(),
            )
        except openai.OpenAIError as error:
            raise MissingCredentialError("OpenAI", ["OPENAI_API_KEY"]) from error

    def _wire(self) -> dict[str, Any]:
        if self._transport is None:
            return {}
        return {"http_client": openai.DefaultAsyncHttpx2Client(transport=self._transport)}

    def _arguments(self, request: CompletionRequest) -> dict[str, Any]:
        options, settings = request.options, self._settings
        system = [{"role": "system", "content": options.system}] if options.system else []
        # OpenAI's reasoning models know the new name only, most other servers the old one only.
        limit = "max_tokens" if settings.openai_base_url else "max_completion_tokens"
        arguments = {
            "temperature": options.temperature,
            limit: options.max_tokens,
            "seed": settings.seed if options.seed is None else options.seed,
        }
        return {
            "model": options.model or settings.openai_model,
            "messages": [*system, {"role": "user", "content": request.prompt}],
            **{name: value for name, value in arguments.items() if value is not None},
        }

    def _translated(self, error: openai.OpenAIError) -> Exception:
        where = self._settings.openai_base_url or "OpenAI"
        if isinstance(error, openai.APITimeoutError):
            seconds = self._settings.llm_timeout_seconds
            return LLMUnavailableError(
                f"{where} gave no answer within {seconds:g} s; it may be billed all the same"
            )
        if isinstance(error, openai.APIConnectionError):
            return LLMUnavailableError(f"{where} cannot be reached: {error.__cause__ or error}")
        if isinstance(error, openai.AuthenticationError):
            return LLMRefusedError(f"{where} does not know the key: check OPENAI_API_KEY: {error}")
        if isinstance(error, openai.APIStatusError):
            later = error.status_code in _TRY_LATER or error.status_code >= 500  # noqa: PLR2004
            kind = LLMUnavailableError if later else LLMRefusedError
            return kind(f"{where} refused the request: {error}")
        return LLMError(f"{where} answered what cannot be understood: {error}")


async def _settled(value: Any) -> Any:
    """Return the value, or what it comes to when it must be awaited.

    A stand-in for the SDK's client may answer at once.
    """
    return await value if inspect.isawaitable(value) else value


def _text_of(answer: Any) -> str:
    if not answer.choices:
        raise LLMUnavailableError("the model returned no choice at all; the same call may work")
    message = answer.choices[0].message
    if isinstance(refusal := getattr(message, "refusal", None), str) and refusal:
        raise LLMRefusedError(f"the model declined: {refusal}")
    text = (message.content or "").strip()
    if not text:
        reason = answer.choices[0].finish_reason
        raise LLMUnavailableError(
            f"the model returned an empty answer (finish_reason {reason!r}); "
            "with 'length', allow it more max_tokens"
        )
    return str(text)
