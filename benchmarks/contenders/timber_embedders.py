"""Timber: its embedders, held to what vectors must be as they are in use."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from benchmarks.contenders.embedded_texts import compared, folder_of, texts, warm
from benchmarks.harness.stage import Stage, Trial

from timber.common.vector.embedders.minilm import LIMIT, MiniLM, model_file
from timber.common.vector.embedders.static import StaticTable
from timber.common.vector.embedders.wordpieces import WordPieces
from timber.common.vector.embedding import Embedding

_MARKS: Final = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}


@contextlib.contextmanager
def lay_out(stage: Stage) -> Iterator[Trial]:
    """Lay the model out for the peers, with the vectors that it should give."""
    folder = folder_of(stage)

    def work() -> None:
        (folder / "model.onnx").symlink_to(model_file())
        WordPieces(limit=LIMIT, marked=True).save(folder / "tokenizer.json")
        _write(folder / "config.json", {"hidden_size": MiniLM.dimension, "pad_token_id": 0})
        _write(folder / "tokenizer_config.json", {"model_max_length": LIMIT, **_MARKS})
        _write(folder / "special_tokens_map.json", _MARKS)
        alone = [MiniLM(threads=1).generate_embedding(text) for text in texts(stage.size)]
        np.save(folder / "alone.npy", np.array(alone, dtype=np.float32))

    yield Trial(work=work, check=lambda: {"texts": stage.size})


@contextlib.contextmanager
def minilm(stage: Stage) -> Iterator[Trial]:
    """Embed by the packaged model."""
    embedding = Embedding(MiniLM(threads=1))
    yield compared(stage, embedding.of_texts)


@contextlib.contextmanager
def table(stage: Stage) -> Iterator[Trial]:
    """Embed by the static table."""
    embedding = Embedding(StaticTable())
    yield warm(stage, embedding.of_texts, lambda vectors: {"texts": len(vectors)})


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
