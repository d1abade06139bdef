"""What is sealed is nowhere else: markers written on every way, and then looked for everywhere."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url
from tests.integration.timber.protection.test_matrix import CHANGED, MATRIX, MODELS, REFUSED, row

from timber.common.errors import ConstraintError, EncryptionError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MARKER = re.compile(rb"canary k\d|" + b"canary k".hex().encode(), re.IGNORECASE)


@pytest.fixture(params=["file", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> TimberSettings:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    is_file = request.param == "file"
    return TimberSettings(
        database_url=f"sqlite:///{tmp_path}/data/app.db"
        if is_file
        else request.getfixturevalue("postgresql_url"),
        model_config_dirs=(tmp_path / "models",),
        packaged_models=False,
        keystore=str(tmp_path / "keys"),
        redis_url=redis_url,
        embedder="none",
        enable_auto_vector_ingestion=False,
    )


def test_a_marker_is_found_nowhere_but_by_who_may_read_it(
    settings: TimberSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.orm", "psycopg"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        with Timber().opened(settings) as timber:
            keys = _write_all(timber, told)
            assert len(keys) > 20
            # Once while it waits to be taken up, and once more when it was.
            waiting = dict(_everything(timber, settings, tmp_path))
            _read_all(timber, keys)
            found = dict(_everything(timber, settings, tmp_path))
    finally:
        for name in ("sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.orm", "psycopg"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    found |= {"logs": caplog.text.encode(), "exceptions": "\n".join(told).encode()}

    for state in (waiting, found):
        assert [name for name, content in state.items() if MARKER.search(content)] == []
    for place in PLACES["postgresql" if "table letters" in found else "sqlite"]:
        assert waiting.get(place) or found.get(place), f"{place} was never written to"
    for name, sign in SIGNS.items():
        if name in found:
            assert sign in found[name], f"what should be in {name} is not looked at"
    assert len(told) >= sum(cells is REFUSED for _, cells in MATRIX.values())


SIGNS = {
    "data/app.db-wal": b"freshk1",
    "table letters": b"freshk1",
    "logs": b"INSERT INTO letters",
    "export of another": b'"bob"',
    "keys/keystore.db": b"timber_keystore",
    "redis": b"timber",
}
"""By place, what is there to be found, so that one sees that it is looked at."""


PLACES = {
    "sqlite": ("data/app.db", "data/app.db-wal", "redis", "export of another"),
    "postgresql": (
        *("table letters", "table timber_audit_log", "table vector_outbox"),
        *("table vector_chunks", "table vector_words", "redis", "export of another"),
    ),
}
"""Where something must have come to, for the search there to tell anything."""


def _write_all(timber: Timber, told: list[str]) -> list[str]:
    person, letter = timber.models.get("Person"), timber.models.get("Letter")
    with timber.database.session_scope() as session:
        session.add_all([person(id="ann"), person(id="bob")])
    keys = [f"k{number}" for number in range(len(MATRIX))]
    for key, (way, (write, cells)) in zip(keys, MATRIX.items(), strict=True):
        if way in CHANGED:
            with timber.database.session_scope() as session:
                session.add(letter(**{**row(key), "title": f"plain{key}", "body": "plain"}))
        if cells is not REFUSED:
            write(timber, key)
            continue
        with pytest.raises((EncryptionError, ConstraintError)) as caught:
            write(timber, key)
        error = caught.value
        told += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    with timber.database.session_scope() as session:
        session.add(letter(**{**row("other"), "person_id": "bob", "body": "of bob"}))
    return keys


def _read_all(timber: Timber, keys: list[str]) -> None:
    timber.vector_ingestion.process_pending()
    letter = timber.models.get("Letter")
    for key in keys * 2:
        timber.database.get(letter, key)  # puts it into the caches
    list(timber.audit.log())


def _everything(
    timber: Timber, settings: TimberSettings, folder: Path
) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix != ".yaml":
            yield str(file.relative_to(folder)), file.read_bytes()
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        yield from _postgresql(url.render_as_string(hide_password=False))
    with redis.Redis.from_url(str(settings.redis_url)) as server:
        kept = [name + b"=" + (server.dump(name) or b"") for name in server.scan_iter()]
    yield "redis", b"\n".join(kept)
    rows = [{**one.values} for one in timber.gdpr.export("bob", model="Person")]
    yield "export of another", json.dumps(rows, default=str).encode()


def _postgresql(url: str) -> Iterator[tuple[str, bytes]]:
    """Give every table as it is copied, and the write-ahead log."""
    with psycopg.connect(url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, name in names:
            kept = io.BytesIO()
            with connection.cursor().copy(f'COPY "{schema}"."{name}" TO STDOUT') as copy:
                for part in copy:
                    kept.write(part)
            yield f"table {name}", kept.getvalue()
        [folder] = connection.execute("SHOW data_directory").fetchone() or [""]
        oid = connection.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        connection.execute("CHECKPOINT")
    assert oid is not None
    for file in sorted([*Path(folder, "base", str(oid[0])).iterdir(), *_logs(Path(folder))]):
        if file.is_file():
            yield f"postgresql/{file.name}", file.read_bytes()


def _logs(folder: Path) -> list[Path]:
    return [one for one in (folder / "pg_wal").iterdir() if one.is_file()]
