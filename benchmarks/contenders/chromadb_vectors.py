"""chromadb: a collection in a folder, with the graph that it makes of itself."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import chromadb
from benchmarks.contenders import documents
from benchmarks.contenders.vector_data import (
    LIMIT,
    OWNERS,
    QUERIES,
    Data,
    data_of,
    trial,
)
from benchmarks.harness.stage import Stage, Trial
from chromadb.config import Settings

_AT_ONCE = 5_000
"""It takes no more at a time."""


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all vectors, some of which it does not see."""
    data = data_of(stage)
    yield trial(_asking(data, lambda _: None), data.truth, queries=QUERIES)


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those with one owner in their metadata."""
    data = data_of(stage)
    asking = _asking(data, lambda place: {"owner": place % OWNERS})
    yield trial(asking, data.truth_of_owner, queries=QUERIES)


@contextlib.contextmanager
def ingest_batch(stage: Stage) -> Iterator[Trial]:
    """Embed all texts, and add them."""
    given = list(documents.documents(stage.size))
    embedder = documents.Cheap()
    collection = _collection(stage.folder)

    def work() -> None:
        for start in range(0, len(given), _AT_ONCE):
            some = given[start : start + _AT_ONCE]
            collection.add(
                ids=[key for key, _, _ in some],
                embeddings=embedder.generate_embeddings_batch([body for _, body, _ in some]),
                documents=[body for _, body, _ in some],
                metadatas=[{"topic": topic} for _, _, topic in some],
            )

    yield Trial(work=work, check=lambda: {"vectors": collection.count()})


def _asking(data: Data, where: Any) -> Any:
    collection = _filled(data)

    def ask(place: int) -> list[int]:
        condition: Mapping[str, Any] | None = where(place)
        found = collection.query(
            query_embeddings=[data.queries[place]], n_results=LIMIT, where=condition, include=[]
        )
        return list(map(int, found["ids"][0]))

    return ask


def _filled(data: Data) -> Any:
    """Return the collection, which the first run of a size fills."""
    is_new = not (data.folder / "chroma").exists()
    collection = _collection(data.folder)
    if is_new:
        for start in range(0, len(data.vectors), _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, len(data.vectors)))
            collection.add(
                ids=[str(number + 1) for number in some],
                embeddings=data.vectors[start : some.stop],
                metadatas=[{"owner": number % OWNERS} for number in some],
            )
    return collection


def _collection(folder: Any) -> Any:
    client = chromadb.PersistentClient(
        path=str(folder / "chroma"), settings=Settings(anonymized_telemetry=False)
    )
    return client.get_or_create_collection(
        "notes", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
