"""fastembed: the same model from its folder, on one thread."""

import contextlib
from collections.abc import Iterator

from benchmarks.contenders.embedded_texts import compared, folder_of
from benchmarks.harness.stage import Stage, Trial
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType

_BATCH = 32


@contextlib.contextmanager
def minilm(stage: Stage) -> Iterator[Trial]:
    """Embed by the model in the folder."""
    TextEmbedding.add_custom_model(
        "local/minilm",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(url="http://localhost/none"),
        dim=384,
        model_file="model.onnx",
    )
    model = TextEmbedding("local/minilm", specific_model_path=str(folder_of(stage)), threads=1)
    yield compared(stage, lambda texts: list(model.embed(texts, batch_size=_BATCH)))
