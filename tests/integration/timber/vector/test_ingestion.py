"""Texts that are handed in, and rows that are followed: what is promised of both."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing
from tests.integration.timber.vector.stored import (
    Stored,
    check_vectors,
    count,
    stored_documents,
)
from typing_extensions import override

from timber.common.errors import (
    EmbedderMismatchError,
    EmbeddingError,
    FeatureUnavailableError,
    InvalidRequestError,
    UnfitVectorsError,
)
from timber.common.runtime import Timber
from timber.common.vector.waiting import Processed

pytestmark = pytest.mark.integration


def add_notes(timber: Timber, **bodies: str) -> None:
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add_all(note(id=key, body=body) for key, body in bodies.items())


def test_a_document_takes_the_place_of_the_former_with_its_key(
    timber: Timber, embedder: Hashing
) -> None:
    ingestion = timber.vector_ingestion
    ingestion.ingest_document("first. " * 500, "papers", "one", {"year": 2020}, owner="ann")

    done = ingestion.ingest_document("second", "papers", "one", {"year": 2021}, owner="bob")

    assert (done.source_id, done.chunks) == ("one", 1)
    expected = Stored("second", (("year", 2021),), "bob")
    assert stored_documents(timber) == {("papers", "one"): expected}
    check_vectors(timber, embedder)


def test_a_batch_gives_one_result_a_document_and_keeps_the_last_of_two_with_one_key(
    timber: Timber, embedder: Hashing
) -> None:
    documents = [
        {"content": word, "source_type": "papers", "source_id": key}
        for key, word in (("a", "one"), ("b", "  "), ("a", "three"))
    ]

    done = timber.vector_ingestion.ingest_documents_batch(documents)

    assert [(one.source_id, one.chunks) for one in done] == [("a", 1), ("b", 0), ("a", 1)]
    assert stored_documents(timber) == {("papers", "a"): Stored("three")}
    check_vectors(timber, embedder)


def test_of_a_batch_that_cannot_be_embedded_nothing_is_kept(
    timber: Timber, embedder: Hashing
) -> None:
    embedder.refused.add("bad")
    documents = [
        {"content": word, "source_type": "papers", "source_id": word} for word in ("good", "bad")
    ]

    with pytest.raises(EmbeddingError):
        timber.vector_ingestion.ingest_documents_batch(documents)

    assert stored_documents(timber) == {}


def test_a_wrong_count_of_vectors_is_an_error(timber: Timber) -> None:
    class Long(Hashing):
        @override
        def generate_embeddings_batch(self, texts: Any) -> list[list[float]]:
            return super().generate_embeddings_batch(texts) * 2

    timber.vector_ingestion.embedding_service = Long()

    with pytest.raises(UnfitVectorsError, match="2 vectors for 1 text"):
        timber.vector_ingestion.ingest_document("word", "papers", "one")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"content": 3}, "content: a text is needed"),
        ({"source_id": ""}, "source_id: a text of 1 to 255"),
        ({"source_type": "x" * 101}, "source_type: a text of 1 to 100"),
        ({"metadata": {"when": object()}}, "metadata.when"),
        ({"importance": "much"}, "importance: a number"),
        ({"occurred_at": "today"}, "occurred_at: a datetime"),
        ({"contents": "x"}, "no 'contents'; did you mean 'content'"),
        ({"source_type": "notes"}, "the rows of Note"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_with_its_place(
    timber: Timber, wrong: dict[str, Any], message: str
) -> None:
    good = {"content": "word", "source_type": "papers", "source_id": "one"}

    with pytest.raises(InvalidRequestError, match=message):
        timber.vector_ingestion.ingest_documents_batch([good | wrong])


def test_a_change_of_what_is_known_embeds_no_text_again(timber: Timber, embedder: Hashing) -> None:
    add_notes(timber, a="word")
    timber.vector_ingestion.process_pending()
    with timber.database.engine.begin() as connection:
        connection.execute(text("UPDATE notes SET topic = 'x', weight = 2"))

    timber.vector_ingestion.process_pending()

    assert embedder.embedded == ["word"]
    assert stored_documents(timber)["notes", "a"].metadata == (("topic", "x"),)


@pytest.mark.parametrize("database_url", ["memory", "file"], indirect=True)
def test_a_row_that_replace_takes_away_for_another_is_found_no_more(
    timber: Timber, embedder: Hashing
) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX once ON notes (noticed)"))
        connection.execute(text("INSERT INTO notes (id, body, noticed) VALUES ('a', 'x', 1)"))
    timber.vector_ingestion.process_pending()

    with timber.database.engine.begin() as connection:
        connection.execute(text("REPLACE INTO notes (id, body, noticed) VALUES ('b', 'y', 1)"))
    timber.vector_ingestion.process_pending()

    assert set(stored_documents(timber)) == {("notes", "b")}


def test_a_text_that_cannot_be_embedded_keeps_no_other_waiting(
    timber: Timber, embedder: Hashing
) -> None:
    embedder.refused.add("bad")
    add_notes(timber, a="good", b="bad", c="fine")

    with pytest.raises(EmbeddingError):
        timber.vector_ingestion.process_pending()

    check_vectors(timber, embedder, waiting=True)
    [status] = timber.vector_ingestion.status()
    assert (status.chunks, status.waiting_chunks) == (3, 1)
    assert status.problems == ("EmbeddingError",)


def test_another_embedder_is_refused_until_all_is_embedded_anew(
    timber: Timber, embedder: Hashing
) -> None:
    ingestion = timber.vector_ingestion
    add_notes(timber, a="one", b="two")
    ingestion.process_pending()
    other = ingestion.embedding_service = Hashing(model_id="other", dimension=4)
    add_notes(timber, c="three")

    with pytest.raises(EmbedderMismatchError, match="timber vectors reembed notes"):
        ingestion.process_pending()
    check_vectors(timber, embedder, waiting=True)  # nothing was dropped
    seen: list[tuple[str, int, int]] = []
    done = ingestion.reembed("notes", on_progress=lambda *told: seen.append(told))

    assert (done.chunks, done.embedder, done.dimension) == (3, "other", 4)
    assert seen == [("notes", 3, 3)]
    check_vectors(timber, other)
    assert ingestion.reembed("notes").chunks == 0


def test_embedding_anew_goes_on_where_it_was_stopped(timber: Timber, embedder: Hashing) -> None:
    ingestion = timber.vector_ingestion
    add_notes(timber, **{f"n{number}": f"text {number}" for number in range(100)})
    ingestion.process_pending()
    other = ingestion.embedding_service = Hashing(model_id="other", dimension=4)
    stopped = RuntimeError("stopped")

    def stop(*_: object) -> None:
        raise stopped

    with pytest.raises(RuntimeError, match="stopped"):
        ingestion.reembed("notes", on_progress=stop)
    check_vectors(timber, embedder)  # the old ones still answer
    before = len(other.embedded)
    ingestion.reembed("notes")

    assert before == 65  # one batch, and what tells how long a vector is
    assert len(other.embedded) == 65 + 1 + 36  # none of the first batch again
    check_vectors(timber, other)


def test_an_embedder_without_a_name_is_taken_when_its_vectors_are_as_long(
    timber: Timber,
) -> None:
    class Nameless:
        def generate_embedding(self, _text: str) -> list[float]:
            return [0.1] * 8

        def generate_embeddings_batch(self, texts: Any) -> list[list[float]]:
            return [[0.1] * 8 for _ in texts]

    ingestion = timber.vector_ingestion
    ingestion.ingest_document("word", "papers", "one")
    ingestion.embedding_service = Nameless()

    ingestion.ingest_document("word", "papers", "two")

    assert count(timber, "vector_embeddings") == 2


def test_nothing_stays_of_an_owner_who_is_erased(timber: Timber, embedder: Hashing) -> None:
    ingestion = timber.vector_ingestion
    ingestion.ingest_document("secret. " * 500, "papers", "one", owner="ann")
    ingestion.ingest_document("kept", "papers", "two", owner="bob")

    assert ingestion.delete_owner("ann") > 1

    assert stored_documents(timber) == {("papers", "two"): Stored("kept", (), "bob")}
    check_vectors(timber, embedder)
    with timber.database.engine.connect() as connection:
        owners = connection.scalars(text("SELECT owner FROM vector_partitions")).all()
    assert owners == ["bob"]
    assert ingestion.delete_document("papers", "two")
    assert not ingestion.delete_document("papers", "two")
    assert count(timber, "vector_embeddings") == 0


def test_several_at_once_embed_each_text_once(
    database_url: str, tmp_path: Path, timber: Timber, embedder: Hashing
) -> None:
    add_notes(timber, **{f"n{number}": f"text {number}" for number in range(300)})
    threads = [threading.Thread(target=timber.vector_ingestion.process_pending) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timber.vector_ingestion.process_pending()

    assert sorted(embedder.embedded) == sorted(f"text {number}" for number in range(300))
    check_vectors(timber, embedder)


def test_rows_are_found_by_themselves_soon_after_they_were_committed(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(database_url, tmp_path / "models", enable_auto_vector_ingestion=True)
    done = threading.Event()

    class Telling(Hashing):
        @override
        def generate_embeddings_batch(self, texts: Any) -> list[list[float]]:
            done.set()
            return super().generate_embeddings_batch(texts)

    with Timber().opened(settings) as timber:
        timber.vector_ingestion.embedding_service = Telling()
        add_notes(timber, a="word")

        assert done.wait(30)


def test_rows_that_were_there_before_the_flag_are_read_when_it_is_turned_on(
    database_url: str, tmp_path: Path
) -> None:
    if database_url == "sqlite:///:memory:":
        database_url = f"sqlite:///{tmp_path}/kept.db"
    folder = tmp_path / "models"
    settings = settings_of(database_url, folder)
    written = (folder / "models.yaml").read_text(encoding="utf-8")
    off = written.replace("enabled: true", "enabled: false")
    (folder / "models.yaml").write_text(off, encoding="utf-8")
    with Timber().opened(settings) as timber:
        add_notes(timber, a="word")
        assert count(timber, "vector_outbox") == 0
    (folder / "models.yaml").write_text(written, encoding="utf-8")

    with Timber().opened(settings) as timber:
        timber.vector_ingestion.embedding_service = Hashing()
        timber.vector_ingestion.process_pending()
        assert set(stored_documents(timber)) == {("notes", "a")}
    (folder / "models.yaml").write_text(off, encoding="utf-8")
    with Timber().opened(settings) as timber:
        assert stored_documents(timber) == {}  # what is followed no more is found no more


def test_a_search_of_an_owner_takes_in_what_is_theirs_and_leaves_the_rest(
    timber: Timber, embedder: Hashing
) -> None:
    note = timber.models.get("Note")
    owners = ("ann", "bob", "ann")
    with timber.database.session_scope() as session:
        session.add_all(
            note(id=f"{number}", body=f"note {number}", owner_id=owner)
            for number, owner in enumerate(owners)
        )
    timber.vector_search.embedding_service = embedder

    found = timber.vector_search.search("note", "notes", owner="ann", explain=True)

    assert {one["source_id"] for one in found} == {"0", "2"}
    assert all(one["explain"]["dense"] and one["explain"]["text"] for one in found)
    (status,) = timber.vector_ingestion.status()
    assert (status.waiting_rows, status.waiting_chunks) == (1, 0)


def test_a_search_of_an_owner_does_not_wait_for_what_another_has_claimed(
    timber: Timber, embedder: Hashing
) -> None:
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(id="one", body="a note", owner_id="ann"))
    ingestion = timber.vector_ingestion
    ingestion._database.run_sync(ingestion._read_rows)
    # As a process that was killed while it embedded.
    ingestion._database.run_sync(lambda session: ingestion._pending.claim(session.connection()))

    done = ingestion.process_pending("notes", owner="ann")

    assert done.chunks == 1
    check_vectors(timber, embedder)


def test_without_an_embedder_texts_are_found_by_their_words_and_wait_for_one(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    with Timber().opened(settings_of(database_url, folder, embedder="none")) as timber:
        add_notes(timber, one="the blue kettle", two="rain")
        search = timber.vector_search

        (found,) = search.search("kettles", "notes", limit=1, weights={"text": 1})

        assert found["source_id"] == "one"
        assert timber.vector_ingestion.process_pending() == Processed(rows=0, chunks=0)
        (status,) = timber.vector_ingestion.status()
        assert (status.waiting_chunks, status.problems) == (2, ())
        with pytest.raises(FeatureUnavailableError, match="the embedder is 'none'"):
            search.search("kettles", "notes")

        timber.vector_ingestion.embedding_service = Hashing()
        assert timber.vector_ingestion.process_pending().chunks == 2
