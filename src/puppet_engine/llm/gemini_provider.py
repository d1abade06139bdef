"""Google's models, by the protocol of the Gemini API. Needs the extra `gemini`."""

from typing import Any, Final

import httpx2
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
from puppet_engine.llm.reckoning import reckoned
from puppet_engine.llm.wire_errors import (
    connection_error,
    garbled_error,
    status_error,
    timeout_error,
)

_UNAUTHORIZED: Final = 401

_DECLINED: Final = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"}
)
"""Reasons to stop that say that this request will not be answered."""


class GeminiProvider(LLMProvider):
    """Asks a Gemini. A request is sent once."""

    def __init__(self, settings: Settings, *, endpoint: Endpoint | None = None) -> None:
        self.endpoint = endpoint or endpoint_of(settings, "gemini")
        self._seed = settings.seed
        self._seconds = settings.llm_timeout_seconds
        self._client: Any = None
        self._wire: httpx2.AsyncClient | None = None

    @override
    async def complete(self, request: CompletionRequest) -> Completion:
        genai = _sdk()
        if self._client is None:
            self._client = self._open(genai)
        model = request.options.model or self.endpoint.model
        try:
            answer = await self._client.aio.models.generate_content(
                model=model, contents=request.prompt, config=self._config(request)
            )
        except (genai.errors.APIError, httpx2.HTTPError, ValueError) as error:
            raise self._translated(error, genai) from error
        return self._completion(request, answer, f"{model}")

    @override
    async def aclose(self) -> None:
        wire, self._wire, self._client = self._wire, None, None
        if wire is not None:
            await wire.aclose()

    def _open(self, genai: Any) -> Any:
        key = self.endpoint.key()
        if key is None:
            raise MissingCredentialError(self.endpoint.title, [self.endpoint.key_name])
        # A client of ours: the SDK would take whichever library is installed, and ask twice.
        self._wire = httpx2.AsyncClient()
        options = {
            "base_url": self.endpoint.base_url,
            "httpx_async_client": self._wire,
            "timeout": max(1, round(self._seconds * 1000)),
        }
        return genai.Client(api_key=key, vertexai=False, http_options=options)

    def _config(self, request: CompletionRequest) -> dict[str, Any]:
        options = request.options
        config: dict[str, Any] = {
            "system_instruction": options.system or None,
            "temperature": options.temperature,
            "max_output_tokens": options.max_tokens,
            "seed": self._seed if options.seed is None else options.seed,
        }
        if options.answer_schema is not None:
            config["response_mime_type"] = "application/json"
            config["response_json_schema"] = options.answer_schema
        return {name: value for name, value in config.items() if value is not None}

    def _translated(self, error: Exception, genai: Any) -> LLMError:
        if isinstance(error, httpx2.TimeoutException):
            return timeout_error(self.endpoint, self._seconds, error)
        if isinstance(error, httpx2.HTTPError):
            return connection_error(self.endpoint, error)
        if isinstance(error, genai.errors.APIError):
            told = f"{error}"
            # A key that is not known is a bad argument here, and no lack of rights.
            status = _UNAUTHORIZED if "API key" in told else error.code
            headers = getattr(error.response, "headers", {})
            return status_error(self.endpoint, status, headers, told)
        return garbled_error(self.endpoint, error)

    def _completion(self, request: CompletionRequest, answer: Any, model: str) -> Completion:
        usage = _usage(answer)
        if blocked := getattr(answer.prompt_feedback, "block_reason", None):
            raise LLMRefusedError(f"the model declined: {blocked.value}", usage=usage)
        if not answer.candidates:
            raise LLMUnavailableError(
                "the model returned no candidate at all; the same call may work",
                usage=usage,
                may_be_billed=usage is None,
            )
        first = answer.candidates[0]
        reason = first.finish_reason.value if first.finish_reason else ""
        parts = (first.content.parts if first.content else None) or ()
        text = "".join(part.text or "" for part in parts if not part.thought).strip()
        if not text and reason in _DECLINED:
            raise LLMRefusedError(f"the model declined: {reason}", usage=usage)
        if not text:
            raise LLMUnavailableError(
                f"the model returned an empty answer (finish_reason {reason!r}); "
                "with 'MAX_TOKENS', allow it more max_tokens",
                usage=usage,
            )
        return Completion(
            text=text,
            model=answer.model_version or model,
            usage=usage or reckoned(request, text),
        )


def _sdk() -> Any:
    try:
        from google import genai  # noqa: PLC0415 - it takes a second, and only who asks it needs it
    except ImportError as error:
        raise ConfigurationError(
            "Google's models need the extra `gemini`: pip install 'puppet-engine[gemini]'"
        ) from error
    return genai


def _usage(answer: Any) -> ModelUsage | None:
    told: Any = getattr(answer, "usage_metadata", None)
    asked = getattr(told, "prompt_token_count", None)
    if asked is None:
        return None
    # What a model thinks is billed as what it says, and counted apart.
    said = (told.candidates_token_count or 0) + (told.thoughts_token_count or 0)
    cached = min(told.cached_content_token_count or 0, asked)
    return ModelUsage(input_tokens=asked, cached_tokens=cached, output_tokens=said)
