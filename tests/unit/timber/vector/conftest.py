"""A server that embeds, a folder with a model, and an empty database of texts and vectors."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.contracts.vector_shelf import Shelf
from tests.lent_timbers import Lender
from tests.unit.timber.vector.embedding_server import EmbeddingServer, serving

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
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


@pytest.fixture(params=["memory", "file"])
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/v.db"


@pytest.fixture(scope="package")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lender]:
    def open_at(url: str) -> AbstractContextManager[Timber]:
        return Timber().opened(TimberSettings(database_url=url, packaged_models=False))

    with Lender.open(tmp_path_factory.mktemp("shelves"), None, open_at) as lender:
        yield lender


@pytest.fixture(params=["memory", "file"])
def lent_shelf(request: pytest.FixtureRequest, lender: Lender) -> Shelf:
    """Give an empty one that stays open from test to test: to open one takes longer than most."""
    return Shelf(lender.timber(lender.url(request.param)))


@pytest.fixture
def sqlite_shelf(sqlite_url: str) -> Iterator[Shelf]:
    settings = TimberSettings(database_url=sqlite_url, packaged_models=False)
    with Timber().opened(settings) as timber:
        yield Shelf(timber)
