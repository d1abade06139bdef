"""A marker that is written by every path into an encrypted text that is found lies nowhere."""

import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import insert, update
from sqlalchemy.dialects import postgresql, sqlite
from tests.integration.timber.encryption.conftest import stored
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing
from typing_extensions import override

from timber.common.errors import TimberError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

MARKER = "xyzzycanary"
"""One word, which no stem and no sign changes."""

MODELS = (
    twins.ONLY_DARK + "\n    caching: {enabled: true}\n    audit: {enabled: true, reads: true}"
)


def row(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "user_id": "ann", "title": "t", "body": f"{MARKER} {key}", **more}


def upsert(timber: Timber, dark: Any) -> None:
    with timber.database.engine.begin() as connection:
        maker: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
        for _ in range(2):
            statement = maker.insert(dark.__table__).values(row("upsert"))
            given = {name: statement.excluded[name] for name in ("user_id", "body")}
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=given))


def in_session(work: Callable[[Any, Any], Any]) -> Callable[[Timber, Any], None]:
    def write(timber: Timber, dark: Any) -> None:
        with timber.database.session_scope() as session:
            work(session, dark)

    return write


def on_connection(timber: Timber, dark: Any) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(insert(dark.__table__), [row("core 1"), row("core 2")])


def changed(session: Any, dark: Any) -> None:
    session.add(dark(**row("changed", body="before")))
    session.flush()
    session.get_one(dark, "changed").body = f"{MARKER} changed"


def updated(session: Any, dark: Any) -> None:
    session.add(dark(**row("updated", body="before")))
    session.flush()
    session.execute(update(dark).where(dark.id == "updated").values(body=f"{MARKER} updated"))


WAYS: tuple[Callable[[Timber, Any], object], ...] = (
    in_session(lambda session, dark: session.add(dark(**row("add")))),
    in_session(lambda session, dark: session.add_all([dark(**row("add_all"))])),
    in_session(lambda session, dark: session.merge(dark(**row("merge")))),
    in_session(lambda session, dark: session.bulk_save_objects([dark(**row("bulk save"))])),
    in_session(lambda session, dark: session.bulk_insert_mappings(dark, [row("mappings")])),
    in_session(lambda session, dark: session.execute(insert(dark), [row("orm insert")])),
    in_session(changed),
    in_session(updated),
    on_connection,
    upsert,
    lambda timber, dark: timber.database.bulk_insert(dark, [row("copy")]),
)


class Talkative(Hashing):
    """Quotes what it cannot embed."""

    @override
    def generate_embeddings_batch(self, texts: Any) -> list[list[float]]:
        if any("changed" in one for one in texts):
            raise RuntimeError(f"cannot embed {texts}")
        return super().generate_embeddings_batch(texts)


@pytest.fixture
def timber(database_url: str, tmp_path: Path, redis_url: str) -> Iterator[Timber]:
    settings = twins.settings_of(database_url, tmp_path, MODELS, redis_url=redis_url)
    with Timber().opened(settings) as opened:
        opened.vector_search.embedding_service = Hashing()
        twins.add_people(opened, "ann")
        yield opened


def test_it_lies_in_no_file_no_cache_no_log_and_no_error(
    timber: Timber, tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    dark = timber.models.get("Dark")
    errors = []

    with caplog.at_level(logging.DEBUG):
        for write in WAYS:
            write(timber, dark)
        for embedder in (Talkative(), Hashing()):
            timber.vector_ingestion.embedding_service = embedder
            try:
                timber.vector_ingestion.process_pending()
                timber.vector_ingestion.reembed("dark_notes")
            except TimberError:
                errors.append(traceback.format_exc())
        found = timber.vector_search.search(MARKER, "dark_notes", weights={"text": 1}, limit=50)
        for one in found:
            stored_row = timber.database.get(dark, one["source_id"])
            assert stored_row is not None
            assert stored_row.body == one["content"].removeprefix("t\n\n")
        timber.audit.flush()

    assert len(found) == len(WAYS) + 1
    assert errors
    files = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
    with Redis.from_url(redis_url) as redis:
        keys: Any = redis.keys("*")
        cached = b"".join(bytes(redis.dump(key) or b"") for key in keys)
        assert keys
        redis.flushall()
    places = {
        "database": stored(timber),
        "files": files,
        "redis": cached,
        "logs": caplog.text.encode(),
        "errors": "".join(errors).encode(),
    }
    for place, held in places.items():
        assert MARKER.encode() not in held.lower(), place
        assert MARKER.encode().hex().encode() not in held.lower(), place
