"""Any model of fastembed's catalogue, or any ONNX model in a folder."""

import json
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from timber.common.documents.validation import closest
from timber.common.errors import ConfigurationError, FeatureUnavailableError
from timber.common.vector.embedders.batches import batches
from timber.common.vector.embedders.loading import Once, sha256
from timber.common.vector.numerics import needed, numpy
from timber.common.vector.onnx_runtime import onnx_runtime

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

_TEXTS: Final = 64
_CHARACTERS: Final = 16_384
_MODEL_FILES: Final = ("model.onnx", "model_optimized.onnx", "onnx/model.onnx")
_CATALOGUE: Final = threading.Lock()
"""fastembed's list of models is one for the whole process."""


class FastEmbed:
    """Embeds by a model of fastembed's catalogue, by its name, or by a model in a folder.

    A folder holds `model.onnx` (or `onnx/model.onnx`), `config.json`, `tokenizer.json`,
    `tokenizer_config.json` and `special_tokens_map.json`, as sentence-transformers exports them;
    `1_Pooling/config.json` says how its vectors are pooled: by the mean, if it is not there.
    Nothing is downloaded: a model by name must lie in the cache already. How much of a long text
    counts is up to the model, mostly 512 tokens. The model is loaded at the first use; several
    threads may embed at once.
    """

    def __init__(self, name: str, *, threads: int, cache_dir: Path | None = None) -> None:
        self._name = name
        self._threads = threads
        self._cache_dir = cache_dir
        self._feature = f"the embedder 'fastembed:{name}'"
        self._folder = Path(name) if Path(name).is_dir() else None
        self._model_id = Once(self._identify)
        self._model = Once(self._load)

    @property
    def model_id(self) -> str:
        """The model's name, or the SHA-256 of its file: a folder may be moved or renamed."""
        return self._model_id()

    def generate_embedding(self, text: str) -> list[float]:
        """Return the vector of a text. Raises what `generate_embeddings_batch` raises."""
        return list(self.generate_embeddings_batch([text])[0].tolist())

    def generate_query_embedding(self, text: str) -> list[float]:
        """Return the vector of what is searched for. Raises as the other does."""
        [vector] = self._model().query_embed([text])
        return list(vector.tolist())

    def generate_embeddings_batch(self, texts: Sequence[str]) -> "Vectors":
        """Return the vectors of texts: shape (n, dimension).

        Raises:
            FeatureUnavailableError: fastembed or the model is not installed.
            ConfigurationError: there is no such model, or the folder does not hold one.

        """
        np = numpy()
        lengths = [len(text) for text in texts]
        found: list[Any] = [None] * len(texts)
        for batch in batches(lengths, budget=_CHARACTERS, most=_TEXTS):
            given = self._model().passage_embed([texts[number] for number in batch])
            for number, vector in zip(batch, given, strict=True):
                found[number] = vector
        vectors: Vectors = np.array(found, dtype=np.float32)
        return vectors if texts else vectors.reshape(0, 0)

    def _identify(self) -> str:
        if self._folder is None:
            return f"fastembed:{self._name}"
        return f"onnx:{sha256(_model_file(self._folder))[:16]}"

    def _load(self) -> Any:
        onnx_runtime(feature=self._feature)  # before fastembed loads it as it is
        fastembed = needed("fastembed", feature=self._feature, extra="fastembed")
        if self._folder is not None:
            self._describe(fastembed, self._folder)
            return fastembed.TextEmbedding(
                self.model_id, threads=self._threads, specific_model_path=str(self._folder)
            )
        self._refuse_unknown(fastembed)
        cache = str(self._cache_dir) if self._cache_dir else None
        try:
            return fastembed.TextEmbedding(
                self._name, threads=self._threads, cache_dir=cache, local_files_only=True
            )
        except ValueError as error:
            at = f", cache_dir={cache!r}" if cache else ""
            raise FeatureUnavailableError(
                self._feature,
                cure="it is not in the cache, and nothing is downloaded here; fetch it once: "
                f'python -c "from fastembed import TextEmbedding; '
                f'TextEmbedding({self._name!r}{at})"',
            ) from error

    def _refuse_unknown(self, fastembed: Any) -> None:
        names = _known(fastembed)
        if self._name.lower() not in {name.lower() for name in names}:
            raise ConfigurationError(
                f"fastembed knows no model {self._name!r}{closest(self._name, names)}, and there "
                "is no such folder; `TextEmbedding.list_supported_models()` lists what it knows"
            )

    def _describe(self, fastembed: Any, folder: Path) -> None:
        """Enter the folder's model in the catalogue, which is one for the whole process."""
        described = import_module("fastembed.common.model_description")
        # Read first: the same model may be known from a folder that lacks nothing.
        description = {
            "pooling": described.PoolingType(_pooling(folder)),
            "normalization": True,
            # It insists on a source, and never asks it: the folder is named on opening.
            "sources": described.ModelSource(url="http://localhost/none"),
            "dim": _number(folder / "config.json", "hidden_size"),
            "model_file": _model_file(folder).relative_to(folder).as_posix(),
        }
        with _CATALOGUE:
            if self.model_id not in _known(fastembed):
                fastembed.TextEmbedding.add_custom_model(self.model_id, **description)


def _known(fastembed: Any) -> list[str]:
    return [model["model"] for model in fastembed.TextEmbedding.list_supported_models()]


def _model_file(folder: Path) -> Path:
    for name in _MODEL_FILES:
        if (folder / name).is_file():
            return folder / name
    raise ConfigurationError(
        f"the folder {str(folder)!r} holds no model: there is none of {', '.join(_MODEL_FILES)}"
    )


def _pooling(folder: Path) -> str:
    file = folder / "1_Pooling" / "config.json"
    if file.is_file() and _read(file).get("pooling_mode_cls_token") is True:
        return "CLS"
    return "MEAN"


def _number(file: Path, key: str) -> int:
    found = _read(file).get(key)
    if not isinstance(found, int):
        raise ConfigurationError(f"{file} says no {key!r}, which is the dimension of the vectors")
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} holds no mapping")
    return found
