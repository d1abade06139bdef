"""Encrypted texts that are found by their meaning: exported in clear, and erased everywhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.timber.encryption.conftest import is_stored
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing
from tests.integration.timber.vector.twins import add, found

from timber.common.errors import SubjectErasedError
from timber.common.failpoints import armed
from timber.common.gdpr.failpoints import Failpoint
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

ANONYMISED = twins.ONLY_DARK.replace(
    "gdpr: {enabled: true}", "gdpr: {enabled: true, on_erase: anonymise}"
)


class Killed(BaseException):
    """Ends a process, as far as a test can."""


@pytest.fixture(params=[twins.ONLY_DARK, ANONYMISED], ids=["deleted", "anonymised"])
def timber(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Timber]:
    settings = twins.settings_of(database_url, tmp_path, request.param)
    with Timber().opened(settings) as opened:
        opened.vector_ingestion.embedding_service = Hashing()
        opened.vector_search.embedding_service = Hashing()
        twins.add_people(opened, "ann", "bob")
        for name in ("ann", "bob"):
            add(opened, "Dark", id=name, user_id=name, body=f"narwhals of {name}")
        opened.vector_ingestion.process_pending()
        yield opened


def test_an_export_shows_the_person_their_texts_in_clear(timber: Timber) -> None:
    with timber.gdpr.export("ann") as rows:
        texts = [dict(row.values) for row in rows if row.section == "VectorChunk"]

    assert [(one["source_id"], one["content"]) for one in texts] == [("ann", "narwhals of ann")]
    assert not {"sealed", "words"} & texts[0].keys()


def test_an_erasure_takes_texts_words_and_vectors_of_that_person_only(timber: Timber) -> None:
    [of_ann, _] = twins.pieces(timber)
    assert timber.gdpr.plan("ann").texts == 1

    certificate = timber.gdpr.erase("ann")

    assert certificate.facts["texts"] == 1
    assert [one.source_id for one in twins.pieces(timber)] == ["bob"]
    assert found(timber, "narwhals", weights={"text": 1}) == ["bob"]
    assert found(timber, "narwhals", weights={"dense": 1}) == ["bob"]
    for word in of_ann.words.split():
        assert is_stored(timber, word) == (word in twins.pieces(timber)[0].words)


def test_from_the_first_step_on_nobody_finds_or_reads_them(timber: Timber) -> None:
    waiting = "INSERT INTO vector_pending (chunk_id, source_type) VALUES (:id, 'dark_notes')"
    pieces = twins.pieces(timber)  # In memory, nobody else reads while this thread writes.
    with timber.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM vector_embeddings"))
        for piece in pieces:
            connection.execute(text(waiting), {"id": piece.chunk_id})

    def hook(point: str) -> None:
        if point == Failpoint.KEYS_GONE:
            raise Killed

    with pytest.raises(Killed), armed(hook):
        timber.gdpr.erase("ann")

    assert len(twins.pieces(timber)) == 2
    timber.vector_ingestion.process_pending()
    for leg in ("text", "dense"):
        assert found(timber, "narwhals", weights={leg: 1}, limit=5) == ["bob"]
    with pytest.raises(SubjectErasedError):
        timber.vector_search.more_like_this("dark_notes", "ann")
    other: Any = Hashing(model_id="other")
    timber.vector_ingestion.embedding_service = timber.vector_search.embedding_service = other
    timber.vector_ingestion.reembed("dark_notes")
    assert not [one for one in other.embedded if "ann" in one]


def test_nothing_of_the_erased_is_taken_in_again(timber: Timber) -> None:
    timber.gdpr.erase("ann")

    timber.vector_ingestion.backfill("dark_notes")
    timber.vector_ingestion.process_pending()

    assert [one.source_id for one in twins.pieces(timber)] == ["bob"]
    with timber.database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM vector_outbox")) == 0
