"""Who writes to the database without Timber meets the checks, and the audit log knows."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from tests.fake_keystore import FakeKeystore

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS = """
models:
  - name: Note
    table_name: notes
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: title, type: Text}
      - {name: body, type: Text}
    encryption: {enabled: true, fields: [{name: body, searchable: true}]}
    audit: {enabled: true, fields: [title]}
"""
PLAIN: tuple[Any, ...] = (
    "plain",
    b"plain",
    b"x" * 60,
    b"T\x01",
    b"T\x01short",
    "T\x01" + "x" * 60,
)


UPSERT = (
    "INSERT INTO notes (id, body) VALUES ('1', ?)"
    " ON CONFLICT (id) DO UPDATE SET body = excluded.body"
)


@pytest.fixture
def timber(tmp_path: Path) -> Iterator[Timber]:
    (tmp_path / "models.yaml").write_text(MODELS, encoding="utf-8")
    settings = TimberSettings(
        database_url=f"sqlite:///{tmp_path}/app.db",
        model_config_dirs=(tmp_path,),
        packaged_models=False,
    )
    with Timber(keystore=FakeKeystore()).opened(settings) as opened:
        with opened.database.session_scope() as session:
            session.add(opened.models.get("Note")(id="1", title="old", body="sealed"))
        yield opened


@pytest.fixture
def stranger(timber: Timber) -> Iterator[sqlite3.Connection]:
    """Open the file as any other program does: no pragmas, no functions, no transactions."""
    assert timber.database.engine.url.database is not None
    connection = sqlite3.connect(timber.database.engine.url.database, isolation_level=None)
    yield connection
    connection.close()


@pytest.mark.parametrize("value", PLAIN, ids=range(len(PLAIN)))
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO notes (id, body) VALUES ('2', ?)",
        "INSERT OR REPLACE INTO notes (id, body) VALUES ('1', ?)",
        "REPLACE INTO notes (id, body) VALUES ('1', ?)",
        UPSERT,
        "UPDATE notes SET body = ?",
        "UPDATE OR REPLACE notes SET body = ?",
        "INSERT INTO notes (id, body_index) VALUES ('2', ?)",
        "UPDATE notes SET body_index = ?",
    ],
)
def test_the_checks_hold_for_a_stranger(
    timber: Timber, stranger: sqlite3.Connection, statement: str, value: Any
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        stranger.execute(statement, (value,))

    note: Any = timber.database.get(timber.models.get("Note"), "1")
    assert (note.title, note.body) == ("old", "sealed")


@pytest.mark.parametrize("is_recursive", [True, False])
def test_the_audit_log_sees_the_row_that_a_stranger_replaces(
    timber: Timber, stranger: sqlite3.Connection, is_recursive: bool
) -> None:
    stranger.execute(f"PRAGMA recursive_triggers = {int(is_recursive)}")

    stranger.execute("REPLACE INTO notes (id, title) VALUES ('1', 'new')")

    told = [one.operation for one in timber.audit.log(table="notes", key=("1",))]
    # Without the pragma SQLite tells no trigger of the row that went: only of the new one.
    assert told == (["insert", "delete", "insert"] if is_recursive else ["insert", "insert"])


PLAIN_BYTES = (b"plain", b"x" * 60, b"T\x01", b"T\x01short")
STATEMENTS = (
    "INSERT INTO notes (id, body) VALUES ('2', %s)",
    "INSERT INTO notes (id) VALUES ('1') ON CONFLICT (id) DO UPDATE SET body = %s",
    "UPDATE notes SET body = %s",
    "INSERT INTO notes (id, body_index) VALUES ('2', %s)",
    "UPDATE notes SET body_index = %s",
    (
        "MERGE INTO notes USING (SELECT %s::bytea AS given) AS new ON true"
        " WHEN MATCHED THEN UPDATE SET body = given"
    ),
)


def test_the_checks_hold_for_a_stranger_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(MODELS, encoding="utf-8")
    settings = TimberSettings(
        database_url=postgresql_url, model_config_dirs=(tmp_path,), packaged_models=False
    )
    with (
        Timber(keystore=FakeKeystore()).opened(settings) as timber,
        psycopg.connect(driver_url(postgresql_url), autocommit=True) as stranger,
    ):
        with timber.database.session_scope() as session:
            session.add(timber.models.get("Note")(id="1", title="old", body="sealed"))

        for value in PLAIN_BYTES:
            for statement in STATEMENTS:
                with pytest.raises(psycopg.errors.CheckViolation):
                    stranger.execute(statement, (value,))
            with (
                pytest.raises(psycopg.errors.CheckViolation),
                stranger.cursor().copy("COPY notes (id, body) FROM STDIN") as copy,
            ):
                copy.write_row(("2", value))

        note: Any = timber.database.get(timber.models.get("Note"), "1")
        assert (note.title, note.body) == ("old", "sealed")
        assert timber.database.get(timber.models.get("Note"), "2") is None


def driver_url(url: str) -> str:
    """Return the URL as psycopg reads it."""
    made = make_url(url).set(drivername="postgresql")
    return made.render_as_string(hide_password=False)
