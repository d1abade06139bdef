"""Every embedder keeps the promises of the port."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.embedder import CAT, EmbedderContract
from tests.unit.timber.vector.embedding_server import EmbeddingServer
from typing_extensions import override

from timber.common.vector.base import Embedder
from timber.common.vector.embedders.fastembed import FastEmbed
from timber.common.vector.embedders.minilm import MiniLM
from timber.common.vector.embedders.multilingual import MultilingualE5
from timber.common.vector.embedders.openai_compatible import Endpoint, OpenAICompatible
from timber.common.vector.embedders.static import StaticTable
from timber.common.vector.embedding import Embedding


@pytest.mark.xdist_group("MiniLM")
class TestMiniLM(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    @override
    def make(cls) -> Callable[[], Embedder]:
        return lambda: MiniLM(threads=1)


@pytest.mark.xdist_group("StaticTable")
class TestStaticTable(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    @override
    def make(cls) -> Callable[[], Embedder]:
        return StaticTable


@pytest.mark.xdist_group("E5")
class TestMultilingualE5(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    @override
    def make(cls) -> Callable[[], Embedder]:
        return lambda: MultilingualE5(threads=1)

    def test_other_languages_are_near_to_what_they_translate(self, embedder: Embedder) -> None:
        texts = ["Die Katze schläft am Fenster.", "Le train de Paris a du retard.", "犬が吠える。"]
        asked = ["The cat is asleep at the window.", "The Paris train is late.", "A dog barks."]

        found = Embedding(embedder).of_texts(texts)

        queries = np.array([Embedding(embedder).of_query(text) for text in asked])
        assert np.argmax(queries @ found.T, axis=1).tolist() == [0, 1, 2]


@pytest.mark.xdist_group("FastEmbed")
class TestFastEmbedFolder(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    @override
    def make(cls, model_folder: Path) -> Callable[[], Embedder]:
        return lambda: FastEmbed(str(model_folder), threads=1)

    def test_it_embeds_as_the_packaged_model_does(self, embedder: Embedder) -> None:
        ours = Embedding(MiniLM(threads=1)).of_texts([CAT])

        assert float(ours[0] @ Embedding(embedder).of_texts([CAT])[0]) > 0.999


@pytest.mark.xdist_group("OpenAICompatible")
class TestOpenAICompatible(EmbedderContract):
    @pytest.fixture(scope="class")
    @classmethod
    @override
    def make(cls, server: EmbeddingServer) -> Iterator[Callable[[], Embedder]]:
        with ExitStack() as opened:
            yield lambda: opened.enter_context(
                closing(OpenAICompatible("any", endpoint=Endpoint(url=server.url)))
            )
