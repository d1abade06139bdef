"""A server that embeds, and a folder with a model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.timber.vector.embedding_server import EmbeddingServer, serving

from timber.common.vector.embedders.minilm import model_file
from timber.common.vector.embedders.wordpieces import WordPieces


@pytest.fixture(scope="class")
def server() -> Iterator[EmbeddingServer]:
    """Serve embeddings for the tests of a class."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay MiniLM out as sentence-transformers exports a model."""
    folder = tmp_path_factory.mktemp("models") / "exported"
    folder.mkdir()
    (folder / "model.onnx").symlink_to(model_file())
    WordPieces(limit=256, marked=True).save(folder / "tokenizer.json")
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    files = {
        "config.json": {"hidden_size": 384, "pad_token_id": 0},
        "tokenizer_config.json": {"model_max_length": 256, **marks},
        "special_tokens_map.json": marks,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder
