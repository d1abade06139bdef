"""A Timber over an empty database of each kind, with models about persons and rows of three."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.vector.hashing import Hashing
from tests.lent_timbers import Lender

from timber.common.database.sqlite_transactions import begin
from timber.common.gdpr.tables import OWN
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer

MODELS = """
association_tables:
  - name: note_tags
    columns:
      - {name: note_id, type: String(36), foreign_key: notes.id, primary_key: true}
      - {name: tag_id, type: Integer, foreign_key: tags.id, primary_key: true}
models:
  - name: Tag
    table_name: tags
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: label, type: String(50)}
  - name: Note
    table_name: notes
    mixins: [SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: author_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: reviewed_by, type: String(36), foreign_key: users.user_id}
      - {name: answers, type: String(36), foreign_key: notes.id}
      - {name: best_line, type: Integer, foreign_key: lines.id}
      - {name: body, type: Text, personal: true}
    caching: {enabled: true}
    vector_search: {enabled: true, content_field: body, owner_field: author_id}
    gdpr: {enabled: true, user_id_field: author_id}
  - name: Line
    table_name: lines
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: note_id, type: String(36), foreign_key: notes.id, nullable: false}
      - {name: words, type: Text}
  - name: Research
    table_name: research
    session_type: research
    columns:
      - {name: id, type: Uuid, primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: state, type: String(20), nullable: false, default: begun}
      - {name: topic, type: Text}
      - {name: config, type: JSON}
      - {name: data, type: JSON}
    states: {initial: begun, transitions: {begun: [done]}, final: [done]}
    vector_search: {enabled: true, content_field: topic}
    gdpr: {enabled: true, export_fields: [topic, config, data]}
  - name: Order
    table_name: orders
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: buyer_id, type: String(36), foreign_key: users.user_id}
      - {name: street, type: String(80), nullable: false, unique: true, personal: true}
      - {name: gift_text, type: Text, personal: true}
      - {name: total, type: "Numeric(10, 2)", nullable: false}
    gdpr: {enabled: true, on_erase: anonymise}
  - name: Invoice
    table_name: invoices
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: order_id, type: Integer, foreign_key: orders.id}
      - {name: approved_by, type: String(36), foreign_key: users.user_id}
      - {name: addressee, type: Text, personal: true}
    gdpr: {enabled: true, user_id_field: order_id.buyer_id, on_erase: retain, reason: The tax law.}
  - name: Comment
    table_name: comments
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: author_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: note_id, type: String(36), foreign_key: notes.id, nullable: false}
      - {name: words, type: Text, personal: true}
    gdpr: {enabled: true, user_id_field: author_id}
  - name: Visit
    table_name: visits
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36)}
      - {name: page, type: Text, personal: true}
    gdpr: {enabled: true, user_id_field: user_id}
"""

Rows = Mapping[str, list[dict[str, Any]]]


def settings_of(database_url: str, folder: Path, **given: object) -> TimberSettings:
    """Return the settings of a Timber whose keys lie beside its models."""
    models = folder / "models"
    models.mkdir(exist_ok=True)
    if not (models / "models.yaml").exists():
        (models / "models.yaml").write_text(MODELS, encoding="utf-8")
    said = {
        "database_url": database_url,
        "model_config_dirs": (models,),
        "packaged_models": False,
        "enable_auto_vector_ingestion": False,
        "keystore": None if ":memory:" in database_url else str(folder / "keys"),
        **given,
    }
    return TimberSettings.model_validate(said)


@pytest.fixture(scope="package")
def lent_keystore() -> FakeKeystore:
    return FakeKeystore()


@pytest.fixture(scope="package")
def lender(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,
    lent_keystore: FakeKeystore,
) -> Iterator[Lender]:
    folder = tmp_path_factory.mktemp("lent")

    def open_at(url: str) -> AbstractContextManager[Timber]:
        return Timber(keystore=lent_keystore).opened(settings_of(url, folder, keystore=None))

    with Lender.open(folder, postgresql_server, open_at) as lender:
        yield lender


@pytest.fixture
def timber(lent_timber: Timber, lent_keystore: FakeKeystore) -> Timber:
    """Give a Timber in which nobody is known, and nobody was erased."""
    with lent_timber.database.engine.begin() as connection:
        for table in reversed(OWN.sorted_tables):
            connection.execute(table.delete())
    lent_keystore.forget()
    lent_timber.keys.keyring.refresh()
    lent_timber.vector_ingestion.embedding_service = Hashing()
    lent_timber.vector_search.embedding_service = lent_timber.vector_ingestion.embedding_service
    return lent_timber


def plant(timber: Timber, *names: str) -> None:
    """Store rows of each kind about persons; every text of a person holds `<name>'s`."""
    for number, name in enumerate(names, 1):
        _plant(timber, name, number)
    timber.vector_ingestion.process_pending()


def _plant(timber: Timber, name: str, number: int) -> None:
    tables = timber.base.metadata.tables
    notes = [f"{name}-{place}" for place in range(3)]
    with timber.database.session_scope() as session:
        session.add(
            timber.models.get("User")(user_id=name, email=f"{name}'s mail", username=f"{name}'s")
        )
        session.flush()
        connection = session.connection()
        connection.execute(
            insert(tables["notes"]),
            [
                {"id": one, "author_id": name, "body": f"{name}'s note {one}", "deleted_at": None}
                for one in notes
            ],
        )
        connection.execute(
            insert(tables["lines"]),
            [
                {"id": number * 100 + at, "note_id": one, "words": f"{name}'s line {at}"}
                for at, one in enumerate(notes)
            ],
        )
        note = tables["notes"]
        # Each answers itself or the one before, and has its best line: two circles.
        for at, one in enumerate(notes):
            connection.execute(
                note.update()
                .where(note.c.id == one)
                .values(answers=notes[max(at - 1, 0)], best_line=number * 100 + at)
            )
        connection.execute(
            note.update()
            .where(note.c.id == notes[2])
            .values(deleted_at=timber.database._clock.now())
        )
        connection.execute(insert(tables["tags"]), {"id": number, "label": "a tag"})
        connection.execute(
            insert(tables["note_tags"]), [{"note_id": one, "tag_id": number} for one in notes]
        )
        order = {
            "id": number,
            "buyer_id": name,
            "street": f"{name}'s street",
            "gift_text": f"{name}'s gift",
            "total": 12,
        }
        connection.execute(insert(tables["orders"]), order)
        connection.execute(
            insert(tables["visits"]), {"id": number, "user_id": name, "page": f"{name}'s page"}
        )
    timber.persistence.create_notification(name, "news", f"{name}'s title", f"{name}'s message")
    timber.persistence.track_event(name, "seen", {"what": f"{name}'s event"}, idempotency_key="k")
    session_id = timber.persistence.sessions.create_session(
        "research", name, config={"x": f"{name}'s config"}, topic=f"{name}'s topic"
    )
    timber.persistence.sessions.transition_state(
        session_id, "research", "done", reason=f"{name}'s reason"
    )
    timber.vector_ingestion.ingest_document(
        f"{name}'s document", "documents", f"of-{name}", owner=name
    )


def stored(timber: Timber) -> Rows:
    """Return every row of every model, the soft-deleted among them."""
    found: dict[str, list[dict[str, Any]]] = {}
    with timber.database.engine.connect() as connection:
        for name, table in timber.base.metadata.tables.items():
            rows = connection.execute(select(table).order_by(*table.primary_key.columns))
            found[name] = [dict(row) for row in rows.mappings()]
    return found


def naming(rows: Rows, name: str) -> dict[str, int]:
    """Return how many rows of each table name somebody."""
    word = re.compile(rf"(?<!\w){name}(?!\w)")
    found = {
        table: sum(any(word.search(str(value)) for value in row.values()) for row in some)
        for table, some in rows.items()
    }
    return {table: count for table, count in found.items() if count}


def without(rows: Rows, name: str) -> Rows:
    """Return the rows that do not name somebody."""
    word = re.compile(rf"(?<!\w){name}(?!\w)")
    return {
        table: [row for row in some if not any(word.search(str(one)) for one in row.values())]
        for table, some in rows.items()
    }


def later(connection: Connection) -> None:
    """Have nobody look at foreign keys before all is stored."""
    if connection.dialect.name == "sqlite":
        begin(connection)
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    else:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
