"""Encrypted fields: exported in clear, unreadable from the first step of an erasure on."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from timber.common.errors import SubjectErasedError
from timber.common.failpoints import armed
from timber.common.gdpr.failpoints import Failpoint
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Customer
    table_name: customers
    columns:
      - {name: id, type: Integer, primary_key: true, default: 0}
      - {name: label, type: Text}
    gdpr: {enabled: true, subject: true}
  - name: Diary
    table_name: diaries
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: page, type: Text, nullable: false}
      - {name: mood, type: Integer}
    encryption: {enabled: true, fields: [page, {name: mood, searchable: true}]}
    gdpr: {enabled: true}
  - name: Reply
    table_name: replies
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: diary_id, type: String(36), foreign_key: diaries.id, nullable: false}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
    gdpr: {enabled: true, user_id_field: user_id}
  - name: Answer
    table_name: answers
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: customer_id, type: Integer, foreign_key: customers.id}
      - {name: words, type: Text}
    encryption: {enabled: true, fields: [{name: words, searchable: true}]}
    gdpr: {enabled: true, on_erase: anonymise}
"""


class Killed(BaseException):
    """Ends a process, as far as a test can."""


def settings_of(database_url: str, folder: Path) -> TimberSettings:
    models = folder / "models"
    models.mkdir(exist_ok=True)
    (models / "models.yaml").write_text(MODELS, encoding="utf-8")
    return TimberSettings(
        database_url=database_url,
        model_config_dirs=(models,),
        packaged_models=False,
        keystore=None if ":memory:" in database_url else str(folder / "keys"),
    )


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    with Timber().opened(settings_of(database_url, tmp_path)) as opened:
        yield opened


def planted(timber: Timber) -> None:
    """Store a page and an answer of each of two; the user 7 and the customer 7 are two people."""
    user, diary, customer, answer = map(timber.models.get, ("User", "Diary", "Customer", "Answer"))
    with timber.database.session_scope() as session:
        for name in ("7", "8"):
            session.add(user(user_id=name, email=name, username=name))
            session.add(customer(id=int(name), label=name))
        session.flush()
        for name in ("7", "8"):
            session.add(diary(id=f"d{name}", user_id=name, page=f"page of {name}", mood=int(name)))
            session.add(answer(id=f"a{name}", customer_id=int(name), words=f"answer of {name}"))


def test_an_export_holds_what_was_sealed_and_nothing_of_how(timber: Timber) -> None:
    planted(timber)

    with timber.gdpr.export("7") as rows:
        found = [dict(row.values) for row in rows if row.section == "Diary"]
    with timber.gdpr.export("8", model="Customer") as rows:
        answers = [dict(row.values) for row in rows if row.section == "Answer"]

    assert found == [{"id": "d7", "user_id": "7", "page": "page of 7", "mood": 7}]
    assert answers == [{"id": "a8", "customer_id": 8, "words": "answer of 8"}]


def test_keys_go_first_and_only_those_of_the_erased(timber: Timber) -> None:
    planted(timber)
    diary, answer = timber.models.get("Diary"), timber.models.get("Answer")

    def hook(point: str) -> None:
        if point == Failpoint.KEYS_GONE:
            raise Killed

    with pytest.raises(Killed), armed(hook):
        timber.gdpr.erase("7")

    with timber.database.session_scope() as session:
        rows = {row.id: row for row in session.scalars(select(diary))}
        assert rows["d8"].page == "page of 8"
        assert session.get_one(answer, "a7").words == "answer of 7"
    assert timber.gdpr.erase("7").facts["keys"] == 1


def test_this_process_seals_nothing_more_for_whom_it_erased(timber: Timber) -> None:
    planted(timber)
    diary = timber.models.get("Diary")
    timber.gdpr.erase("7")
    with timber.database.session_scope() as session:
        session.add(timber.models.get("User")(user_id="7", email="7", username="7"))

    with pytest.raises(SubjectErasedError), timber.database.session_scope() as session:
        session.add(diary(id="late", user_id="7", page="a late page", mood=1))


def test_an_anonymised_row_keeps_neither_what_was_sealed_nor_its_index(timber: Timber) -> None:
    planted(timber)
    table = timber.base.metadata.tables["answers"]

    certificate = timber.gdpr.erase(7, model="Customer")

    with timber.database.engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(select(table))}
    assert (rows["a7"].words, rows["a7"].words_index, rows["a7"].customer_id) == (None,) * 3
    assert rows["a8"].words_index is not None
    assert certificate.tables["answers"] == {"anonymised": 1, "unlinked": 1}
    with timber.gdpr.export("7") as exported:
        assert {row.section for row in exported} == {"User", "Diary"}


def test_a_row_that_cannot_go_holds_nothing_that_could_be_opened(timber: Timber) -> None:
    planted(timber)
    tables = timber.base.metadata.tables
    with timber.database.engine.begin() as connection:
        connection.execute(
            insert(tables["replies"]), {"id": "r", "diary_id": "d7", "user_id": "8"}
        )

    timber.gdpr.erase("7")

    with timber.database.engine.connect() as connection:
        row = connection.execute(
            select(tables["diaries"]).where(tables["diaries"].c.id == "d7")
        ).one()
    assert bytes(row.page) == b"\x54\x01".ljust(49, b"\0")
    assert (row.mood, row.mood_index, row.user_id) == (None, None, "7")


def test_a_backup_of_the_data_without_its_erased_keys_is_unreadable(tmp_path: Path) -> None:
    data, backup = tmp_path / "data.db", tmp_path / "backup.db"
    settings = settings_of(f"sqlite:///{data}", tmp_path)
    with Timber().opened(settings) as timber:
        planted(timber)
    shutil.copy(data, backup)
    with Timber().opened(settings) as timber:
        sealed = read_sealed(timber, "d7")
        timber.gdpr.erase("7")
        with pytest.raises(SubjectErasedError):
            timber.sealer.open_row("diaries", sealed)
        other = timber.sealer.open_row("diaries", read_sealed(timber, "d8"))

    assert other["page"] == "page of 8"
    assert b"page of 7" not in backup.read_bytes()


def read_sealed(timber: Timber, key: str) -> dict[str, Any]:
    """Return a row as it is stored."""
    table = timber.base.metadata.tables["diaries"]
    with timber.database.engine.connect() as connection:
        return dict(connection.execute(select(table).where(table.c.id == key)).mappings().one())


def test_what_is_exported_as_json_was_opened(tmp_path: Path) -> None:
    with Timber().opened(settings_of("sqlite:///:memory:", tmp_path)) as timber:
        planted(timber)
        timber.gdpr.export_json("7", tmp_path / "out.json")

    [row] = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["rows"]["Diary"]
    assert (row["page"], row["mood"]) == ("page of 7", 7)
