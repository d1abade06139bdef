"""A rule of a table that forbids an erasure stops this one, and nothing else."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from tests.integration.timber.gdpr.conftest import settings_of

from timber.common.errors import ConstraintError, ErasureError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Invoice
    table_name: invoices
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: preference_id, type: Integer, foreign_key: preferences.id, nullable: false}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
    gdpr: {enabled: true, on_erase: retain, reason: tax, user_id_field: user_id}
  - name: Preference
    table_name: preferences
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: kind, type: "Enum(mail, phone)", nullable: false}
      - {name: day, type: Date, nullable: false}
      - {name: words, type: Text}
    unique:
      - {columns: [user_id, kind], name: uq_preferences_kind}
      - {columns: [user_id, day], name: uq_preferences_day}
    gdpr: {enabled: true}
"""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> TimberSettings:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    return settings_of(database_url, tmp_path)


def planted(timber: Timber) -> None:
    """Store a person with two preferences that invoices need, and one with nothing."""
    tables = timber.base.metadata.tables
    for name in ("ann", "bob"):
        with timber.database.session_scope() as session:
            session.add(timber.models.get("User")(user_id=name, email=f"{name}@x", username=name))
    with timber.database.engine.begin() as connection:
        for number, kind in enumerate(("mail", "phone"), 1):
            row = {"id": number, "user_id": "ann", "kind": kind, "words": "ann's words"}
            day = timber.database._clock.now().date().replace(month=number, day=1)
            connection.execute(insert(tables["preferences"]), row | {"day": day})
            invoice = {"id": number, "preference_id": number, "user_id": "ann"}
            connection.execute(insert(tables["invoices"]), invoice)


def test_rows_that_a_rule_of_uniqueness_tells_apart_are_emptied(settings: TimberSettings) -> None:
    with Timber().opened(settings) as timber:
        planted(timber)

        certificate = timber.gdpr.erase("ann")

        assert certificate.tables["preferences"] == {"emptied": 2}
        with timber.database.engine.connect() as connection:
            rows = connection.execute(text("SELECT kind, words FROM preferences ORDER BY id"))
            assert [tuple(row) for row in rows] == [("mail", None), ("phone", None)]


def test_what_forbids_one_erasure_lets_the_database_be_opened_and_others_be_erased(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    settings = settings_of(f"sqlite:///{tmp_path}/data.db", tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
        with timber.database.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER never BEFORE UPDATE ON preferences "
                "BEGIN SELECT RAISE(ABORT, 'preferences are for ever'); END"
            )
        with pytest.raises(ConstraintError, match="for ever"):
            timber.gdpr.erase("ann")

    with caplog.at_level(logging.ERROR), Timber().opened(settings) as timber:
        assert timber.gdpr.replayed.stuck == 1
        assert "cannot go on" in caplog.text
        assert "for ever" in caplog.text
        assert [one.finished_at for one in timber.gdpr.status()] == [None]
        with pytest.raises(ErasureError, match="being erased"), timber.gdpr.export("ann") as rows:
            next(rows)
        assert timber.gdpr.erase("bob").tables["users"] == {"deleted": 1}
        with timber.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER never")

    with Timber().opened(settings) as timber:
        assert (timber.gdpr.replayed.resumed, timber.gdpr.replayed.stuck) == (1, 0)
        assert all(one.certificate for one in timber.gdpr.status())
