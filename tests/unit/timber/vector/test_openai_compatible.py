"""A server that embeds is asked until it answers, and what it answers is checked."""

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from tests.contracts.embedder import CAT, TAX
from tests.unit.timber.vector.embedding_server import EmbeddingServer, serving

from timber.common.errors import (
    ConfigurationError,
    EmbedderRefusedError,
    EmbedderUnavailableError,
    UnfitVectorsError,
)
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.common.vector.embedders.openai_compatible import Endpoint, OpenAICompatible
from timber.common.vector.embedders.static import StaticTable
from timber.common.vector.embedding import Embedding

Open = Callable[..., OpenAICompatible]


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with serving() as server:
        yield server


@pytest.fixture
def connect(server: EmbeddingServer) -> Iterator[Open]:
    """Give what opens an embedder at the server, which is closed after the test."""
    with ExitStack() as opened:

        def connected(dimension: int | None = None, **options: Any) -> OpenAICompatible:
            endpoint = Endpoint(**{"url": server.url, **options})
            made = OpenAICompatible("small", endpoint=endpoint, dimension=dimension)
            return opened.enter_context(closing(made))

        yield connected


def test_a_server_is_asked_with_the_key_the_model_and_the_dimension(
    server: EmbeddingServer, connect: Open
) -> None:
    embedder = connect(dimension=64, api_key="secret")

    vector = embedder.generate_embedding(CAT)

    assert len(vector) == 64
    assert embedder.model_id == "openai:small@64"
    assert server.keys == ["Bearer secret"]
    assert server.requests[0]["model"] == "small"
    assert server.requests[0]["dimensions"] == 64


def test_many_texts_take_several_requests_and_come_back_in_their_order(
    server: EmbeddingServer, connect: Open
) -> None:
    texts = [f"number {number} " * (number % 7 + 1) for number in range(300)]
    server.shuffled = True

    found = Embedding(connect()).of_texts(texts)

    assert [len(request["input"]) for request in server.requests] == [128, 128, 44]
    assert found == pytest.approx(Embedding(StaticTable()).of_texts(texts), abs=1e-6)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_request_that_fails_for_a_passing_reason_is_sent_again(
    server: EmbeddingServer, connect: Open, status: int
) -> None:
    server.failures = [(status, "busy")] * 2

    vector = connect().generate_embedding(CAT)

    assert len(vector) == 128
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_an_error_that_says_so_after_the_last_retry(
    server: EmbeddingServer, connect: Open
) -> None:
    server.failures = [(503, "overloaded")] * 9

    with pytest.raises(EmbedderUnavailableError, match="overloaded"):
        connect(retries=2).generate_embedding(CAT)

    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "TIMBER_EMBEDDER_API_KEY"), (404, "no model small"), (400, "no model small")],
)
def test_what_the_server_refuses_is_not_asked_again(
    server: EmbeddingServer, connect: Open, status: int, said: str
) -> None:
    server.failures = [(status, "no model small")]

    with pytest.raises(EmbedderRefusedError, match=said):
        connect().generate_embedding(CAT)

    assert len(server.requests) == 1


def test_an_answer_that_leaves_a_text_out_is_an_error(
    server: EmbeddingServer, connect: Open
) -> None:
    server.forgetful = True

    with pytest.raises(UnfitVectorsError, match=r"\[0\] for 2 texts"):
        connect().generate_embeddings_batch([CAT, TAX])


def test_a_server_that_is_not_there_is_named_with_the_reason(connect: Open) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

        with pytest.raises(EmbedderUnavailableError, match=f"{url} cannot be reached"):
            connect(url=url, retries=0).generate_embedding(CAT)


def test_a_server_that_says_nothing_is_given_up_after_the_timeout(connect: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"

        with pytest.raises(EmbedderUnavailableError, match=r"within 0\.05 s"):
            connect(url=url, retries=0, timeout_seconds=0.05).generate_embedding(CAT)


def test_openai_itself_needs_a_key_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="TIMBER_EMBEDDER_API_KEY"):
        OpenAICompatible("text-embedding-3-small").generate_embedding(CAT)


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Endpoint(api_key="secret"))


def test_closed_it_opens_again_when_it_is_used(server: EmbeddingServer, connect: Open) -> None:
    embedder = connect()
    embedder.close()
    embedder.generate_embedding(CAT)
    embedder.close()

    assert len(embedder.generate_embedding(CAT)) == 128


def test_a_timber_embeds_by_the_server_that_its_settings_name_and_closes_what_it_opened(
    server: EmbeddingServer,
) -> None:
    settings = TimberSettings(
        database_url="sqlite:///:memory:",
        packaged_models=False,
        embedder="openai:small",
        embedder_url=server.url,
    )

    with Timber().opened(settings) as timber:
        timber.vector_ingestion.ingest_document(CAT, "notes", "cat")
        timber.vector_ingestion.ingest_document(TAX, "notes", "tax")
        found = timber.vector_search.search("a sleeping cat", "notes", limit=1)

    assert [one["source_id"] for one in found] == ["cat"]
    gc.collect()  # a connection that was left open is an error
