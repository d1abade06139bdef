"""Anthropic's models, by Anthropic's own protocol. Needs the extra `anthropic`."""

from typing import Any, Final

from typing_extensions import override

from puppet_engine.core.errors import (
    ConfigurationError,
    LLMError,
    LLMRefusedError,
    LLMUnavailableError,
    MissingCredentialError,
)
from puppet_engine.core.model_usage import ModelUsage
from puppet_engine.core.settings import Settings
from puppet_engine.llm.base import Completion, CompletionRequest, LLMProvider
from puppet_engine.llm.endpoints import Endpoint, endpoint_of
from puppet_engine.llm.reckoning import USUAL_ANSWER, reckoned
from puppet_engine.llm.wire_errors import (
    connection_error,
    garbled_error,
    status_error,
    timeout_error,
)

LONGEST_ANSWER: Final = USUAL_ANSWER
"""The protocol wants a limit, also where nobody has set one."""


class AnthropicProvider(LLMProvider):
    """Asks a Claude. A request is sent once; temperature and seed are not part of the protocol."""

    def __init__(self, settings: Settings, *, endpoint: Endpoint | None = None) -> None:
        self.endpoint = endpoint or endpoint_of(settings, "anthropic")
        self._seconds = settings.llm_timeout_seconds
        self._client: Any = None

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        anthropic = _sdk()
        if self._client is None:
            self._client = self._open(anthropic)
        try:
            answer = await self._client.messages.create(**self._arguments(request, anthropic))
        except (anthropic.AnthropicError, ValueError) as error:
            raise self._translated(error, anthropic) from error
        return self._completion(request, answer)

    @override
    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self, anthropic: Any) -> Any:
        key = self.endpoint.key()
        if key is None:
            raise MissingCredentialError(self.endpoint.title, [self.endpoint.key_name])
        return anthropic.AsyncAnthropic(
            api_key=key, base_url=self.endpoint.base_url, timeout=self._seconds, max_retries=0
        )

    def _arguments(self, request: CompletionRequest, anthropic: Any) -> dict[str, Any]:
        options = request.options
        arguments: dict[str, Any] = {
            "model": options.model or self.endpoint.model,
            "max_tokens": options.max_tokens or LONGEST_ANSWER,
            "messages": [{"role": "user", "content": request.prompt}],
        }
        if options.system:
            arguments["system"] = options.system
        if options.answer_schema is not None:
            schema = anthropic.transform_schema(options.answer_schema)
            arguments["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return arguments

    def _translated(self, error: Exception, anthropic: Any) -> LLMError:
        if isinstance(error, anthropic.APITimeoutError):
            return timeout_error(self.endpoint, self._seconds, error.__cause__)
        if isinstance(error, anthropic.APIConnectionError):
            return connection_error(self.endpoint, error.__cause__ or error)
        if isinstance(error, anthropic.APIStatusError):
            headers = error.response.headers
            return status_error(self.endpoint, error.status_code, headers, f"{error}")
        return garbled_error(self.endpoint, error)

    def _completion(self, request: CompletionRequest, answer: Any) -> Completion:
        usage = _usage(answer)
        try:
            parts = [part.text for part in answer.content if part.type == "text"]
            reason = answer.stop_reason
        except (AttributeError, TypeError) as error:  # a page, say, and no object
            raise garbled_error(self.endpoint, error) from error
        if reason == "refusal":
            raise LLMRefusedError(f"the model declined: {''.join(parts) or reason}", usage=usage)
        text = "".join(parts).strip()
        if not text:
            raise LLMUnavailableError(
                f"the model returned an empty answer (stop_reason {reason!r}); "
                "with 'max_tokens', allow it more max_tokens",
                usage=usage,
            )
        return Completion(
            text=text, model=f"{answer.model}", usage=usage or reckoned(request, text)
        )


def _sdk() -> Any:
    try:
        import anthropic  # noqa: PLC0415 - it takes a second, and only who asks it needs it
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Anthropic's models need the extra `anthropic`: pip install 'puppet-engine[anthropic]'"
        ) from error
    return anthropic


def _usage(answer: Any) -> ModelUsage | None:
    told = getattr(answer, "usage", None)
    fresh, said = getattr(told, "input_tokens", None), getattr(told, "output_tokens", None)
    if not isinstance(fresh, int) or not isinstance(said, int):
        return None
    # What is read from a cache, or put into it, is not among the `input_tokens` here.
    cached = getattr(told, "cache_read_input_tokens", None) or 0
    kept = getattr(told, "cache_creation_input_tokens", None) or 0
    return ModelUsage(input_tokens=fresh + cached + kept, cached_tokens=cached, output_tokens=said)
