"""Any server that embeds by OpenAI's protocol: OpenAI, Ollama, vLLM, llama.cpp, TEI."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from timber.common.errors import (
    ConfigurationError,
    EmbedderRefusedError,
    EmbedderUnavailableError,
    EmbeddingError,
    UnfitVectorsError,
)
from timber.common.vector.embedders.batches import batches
from timber.common.vector.embedders.loading import Once
from timber.common.vector.numerics import needed

_TEXTS: Final = 128
_CHARACTERS: Final = 200_000
"""In one request; OpenAI takes 300,000 tokens, and no character makes more than about one."""
_UNAUTHORIZED: Final = 401
_TRY_LATER: Final = frozenset({408, 409, 425, 429})
_SERVERS_FAULT: Final = 500


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where and how a server is asked."""

    url: str | None = None
    """OpenAI itself when None."""
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 60
    retries: int = 3
    """How often a request is sent again that was lost, or that the server could not take."""

    @property
    def name(self) -> str:
        return self.url or "OpenAI"


class OpenAICompatible:
    """Embeds by a model behind an endpoint, several texts to a request.

    How much of a long text counts is up to the model; most servers refuse what is too long.
    A request that fails for a passing reason is sent again, later each time, or when the server
    says; embedding twice changes nothing but may be billed twice. Several threads may embed at
    once.
    """

    def __init__(
        self, model: str, *, endpoint: Endpoint | None = None, dimension: int | None = None
    ) -> None:
        self._model = model
        self._endpoint = endpoint or Endpoint()
        self.model_id = f"openai:{model}" if dimension is None else f"openai:{model}@{dimension}"
        self.dimension = dimension
        """How many numbers are asked for; None leaves it to the model."""
        self._sdk = Once(
            lambda: needed("openai", feature=f"the embedder 'openai:{model}'", extra="openai")
        )
        self._client = Once(self._open)

    def generate_embedding(self, text: str) -> list[float]:
        """Return the vector of a text. Raises what `generate_embeddings_batch` raises."""
        return self.generate_embeddings_batch([text])[0]

    def generate_embeddings_batch(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vectors of texts, as the server gives them.

        Raises:
            EmbedderUnavailableError: no answer, after every retry.
            EmbedderRefusedError: the key, the model or a text is refused.
            UnfitVectorsError: the answer does not say which vector is whose.
            ConfigurationError: OpenAI is asked without a key.

        """
        vectors: list[list[float]] = [[]] * len(texts)
        lengths = [len(text) for text in texts]
        for batch in batches(lengths, budget=_CHARACTERS, most=_TEXTS):
            answer = self._ask([texts[number] for number in batch])
            for number, vector in zip(batch, answer, strict=True):
                vectors[number] = vector
        return vectors

    def close(self) -> None:
        """Close the connections. Embedding again opens new ones."""
        if self._client.is_made:
            self._client().close()
            self._client = Once(self._open)

    def _ask(self, texts: list[str]) -> list[list[float]]:
        size = {} if self.dimension is None else {"dimensions": self.dimension}
        try:
            answer = self._client().embeddings.create(model=self._model, input=texts, **size)
        except self._sdk().OpenAIError as error:
            raise self._translated(error) from error
        data = sorted(answer.data, key=lambda one: one.index)
        if [one.index for one in data] != list(range(len(texts))):
            raise UnfitVectorsError(
                f"{self._endpoint.name} numbered its vectors {[one.index for one in data]} for "
                f"{len(texts)} texts: nothing was embedded; see whether it serves "
                f"{self._model!r} as an embedder"
            )
        return [one.embedding for one in data]

    def _open(self) -> Any:
        endpoint = self._endpoint
        if endpoint.url is None and endpoint.api_key is None:
            raise ConfigurationError(
                f"the embedder {self.model_id!r} needs a key for OpenAI: set "
                "TIMBER_EMBEDDER_API_KEY, or name another server by TIMBER_EMBEDDER_URL"
            )
        return self._sdk().OpenAI(
            api_key=endpoint.api_key or "none",  # the SDK insists on one, local servers do not
            base_url=endpoint.url or "https://api.openai.com/v1",
            timeout=endpoint.timeout_seconds,
            max_retries=endpoint.retries,
        )

    def _translated(self, error: Exception) -> EmbeddingError:
        sdk, where = self._sdk(), self._endpoint.name
        if isinstance(error, sdk.APITimeoutError):
            seconds = self._endpoint.timeout_seconds
            return EmbedderUnavailableError(
                f"{where} gave no vectors within {seconds:g} s: try later, or raise "
                "TIMBER_EMBEDDER_TIMEOUT_SECONDS"
            )
        if isinstance(error, sdk.APIConnectionError):
            reason = error.__cause__ or error
            return EmbedderUnavailableError(
                f"{where} cannot be reached ({reason}): check TIMBER_EMBEDDER_URL, "
                "and that the server runs"
            )
        if isinstance(error, sdk.APIStatusError):
            return self._refused(error)
        return EmbeddingError(f"{where} answered what cannot be understood: {error}")

    def _refused(self, error: Any) -> EmbeddingError:
        where, code = self._endpoint.name, error.status_code
        if code == _UNAUTHORIZED:
            return EmbedderRefusedError(
                f"{where} does not know the key: check TIMBER_EMBEDDER_API_KEY"
            )
        if code in _TRY_LATER or code >= _SERVERS_FAULT:
            return EmbedderUnavailableError(f"{where} cannot embed now: {error}; try later")
        return EmbedderRefusedError(
            f"{where} refused to embed by {self._model!r}: {error}; "
            "check the model's name, and how long the texts are"
        )
