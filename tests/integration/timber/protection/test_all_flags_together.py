"""Models with every flag that protects: what one of them promises, no other breaks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from timber.common.errors import RecordNotFoundError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MARKER = "canary-7315"

MODELS = """
models:
  - name: Patient
    table_name: patients
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: name, type: String(80), unique: true, personal: true}
      - {name: note, type: Text}
    encryption: {enabled: true, fields: [note, {name: name, searchable: true}]}
    caching: {enabled: true}
    gdpr: {enabled: true, subject: true}
    audit: {enabled: true, reads: true}
  - name: Visit
    table_name: visits
    mixins: [TimestampMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid7}
      - {name: patient_id, type: String(36), foreign_key: patients.id, nullable: false}
      - {name: finding, type: JSON, personal: true}
    encryption: {enabled: true, fields: [finding]}
    caching: {enabled: true}
    gdpr: {enabled: true}
    audit: {enabled: true}
    retention: {enabled: true, after: 30 days}
"""


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    models = tmp_path / "models"
    models.mkdir()
    (models / "models.yaml").write_text(MODELS, encoding="utf-8")
    settings = TimberSettings(
        database_url=database_url,
        model_config_dirs=(models,),
        packaged_models=False,
        keystore=None if ":memory:" in database_url else str(tmp_path / "keys"),
    )
    with Timber().opened(settings) as opened:
        yield opened


def planted(timber: Timber) -> None:
    patient, visit = timber.models.get("Patient"), timber.models.get("Visit")
    with timber.database.session_scope() as session:
        for name in ("ann", "bob"):
            session.add(patient(id=name, name=f"{name} {MARKER}", note=f"note {MARKER}"))
        session.flush()
        session.add(visit(id="of-ann", patient_id="ann", finding={"said": [f"{MARKER} ann"]}))
        session.add(visit(id="of-bob", patient_id="bob", finding={"said": [f"{MARKER} bob"]}))


def stored(timber: Timber) -> str:
    """Return everything that any table holds, as text."""
    with timber.database.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            assert driver is not None
            return repr(list(driver.iterdump()))
        names = connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname='public'")
        )
        return "".join(
            repr(connection.execute(text(f'SELECT t::text FROM "{name}" t')).all())
            for name in names.all()
        )


def test_what_is_sealed_stands_nowhere_in_clear_whatever_is_done_with_it(timber: Timber) -> None:
    planted(timber)
    patient = timber.models.get("Patient")

    with timber.database.session_scope() as session:
        ann = session.get_one(patient, "ann")
        ann.note = f"another {MARKER}"
    found = timber.database.get(patient, "ann")
    assert found is not None
    assert found.note == f"another {MARKER}"
    timber.audit.flush()

    assert MARKER not in stored(timber)
    assert MARKER.encode().hex() not in stored(timber)


def test_an_erasure_leaves_a_whole_chain_that_names_nobody(timber: Timber) -> None:
    planted(timber)
    patient, visit = timber.models.get("Patient"), timber.models.get("Visit")
    assert timber.database.get(patient, "ann") is not None

    timber.gdpr.erase("ann", model="Patient")

    timber.audit.flush()
    assert timber.audit.verify().problems == ()
    assert timber.database.get(patient, "ann") is None
    assert timber.database.get(visit, "of-ann") is None
    with pytest.raises(RecordNotFoundError):
        list(timber.gdpr.export("ann", model="Patient"))
    kept = timber.database.get(visit, "of-bob")
    assert kept is not None
    assert kept.finding == {"said": [f"{MARKER} bob"]}
    with timber.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM timber_audit_log")).mappings().all()
    assert rows
    assert [row for row in rows if "of-ann" in repr(row)] == []
    assert "'ann'" not in repr(rows)
    assert "patients:ann" not in repr(rows)


def test_what_retention_takes_is_in_the_chain(timber: Timber) -> None:
    planted(timber)
    with timber.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE visits SET created_at = '2001-01-01 00:00:00' WHERE id = 'of-ann'")
        )

    timber.retention.run()

    visit = timber.models.get("Visit")
    assert timber.database.get(visit, "of-ann") is None
    assert timber.database.get(visit, "of-bob") is not None
    assert timber.audit.verify().problems == ()
