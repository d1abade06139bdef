"""What is under a legal hold is evidence: an erasure leaves it as it is, and says so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.integration.timber.gdpr.conftest import settings_of, stored
from tests.integration.timber.vector.hashing import Hashing

from timber.common.errors import ErasureError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Letter
    table_name: letters
    mixins: [TimestampMixin]
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: reader_id, type: String(36), foreign_key: users.user_id}
      - {name: on_hold, type: Boolean}
      - {name: words, type: Text}
    vector_search: {enabled: true, content_field: words, owner_field: user_id}
    gdpr: {enabled: true, user_id_field: user_id}
    retention: {enabled: true, after: 1 days, legal_hold: on_hold}
  - name: Part
    table_name: parts
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: letter_id, type: Integer, foreign_key: letters.id, nullable: false}
      - {name: words, type: Text}
  - name: Diary
    table_name: diaries
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid7}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: page, type: Text}
    encryption: {enabled: true, fields: [page]}
    gdpr: {enabled: true}
"""


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    with Timber().opened(settings_of(database_url, tmp_path)) as opened:
        opened.vector_ingestion.embedding_service = Hashing()
        yield opened


def planted(timber: Timber, *held: int) -> None:
    """Store two letters of ann's, each with a part, and one of bob's that ann reads."""
    tables = timber.base.metadata.tables
    for name in ("ann", "bob"):
        with timber.database.session_scope() as session:
            session.add(timber.models.get("User")(user_id=name, email=f"{name}@x", username=name))
    with timber.database.session_scope() as session:
        letter = timber.models.get("Letter")
        for number, (writer, reader) in enumerate((("ann", None), ("ann", None), ("bob", "ann"))):
            session.add(
                letter(
                    id=number,
                    user_id=writer,
                    reader_id=reader,
                    on_hold=number in held or None,
                    words=f"letter {number}",
                )
            )
    with timber.database.engine.begin() as connection:
        for number in range(3):
            connection.execute(
                insert(tables["parts"]), {"id": number, "letter_id": number, "words": "part"}
            )
    timber.vector_ingestion.process_pending()


def shown(timber: Timber, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[one] for one in columns) for row in stored(timber)[table]]


def test_a_row_whose_column_says_so_is_kept_with_its_parts_and_texts(timber: Timber) -> None:
    planted(timber, 1)

    plan = {(one.table, one.action): one for one in timber.gdpr.plan("ann").tables}
    certificate = timber.gdpr.erase("ann")

    assert shown(timber, "letters", "id", "words") == [(1, "letter 1"), (2, "letter 2")]
    assert shown(timber, "parts", "id", "words") == [(1, "part"), (2, "part")]
    texts = {row["content"] for row in stored(timber)["vector_chunks"]}
    assert texts == {"letter 1", "letter 2"}
    assert (plan["letters", "hold"].rows, plan["letters", "delete"].rows) == (1, 1)
    assert plan["users", "delete"].emptied == 1
    assert certificate.tables["letters"] == {
        "deleted": 1,
        "unlinked": 1,
        "held": 1,
        "hold": "legal hold: letters.on_hold",
    }
    [ann] = [row for row in stored(timber)["users"] if row["user_id"] == "ann"]
    assert ann["email"] == ""


def test_rows_of_a_table_that_is_held_stay_as_they_are_those_of_others_too(
    timber: Timber,
) -> None:
    planted(timber)
    timber.retention.hold("letters", reason="case 7")
    before = {name: stored(timber)[name] for name in ("letters", "parts", "vector_chunks")}

    plan = {one.table: one for one in timber.gdpr.plan("ann").tables}
    certificate = timber.gdpr.erase("ann")

    assert {name: stored(timber)[name] for name in before} == before
    assert (plan["letters"].action, plan["letters"].reason) == ("hold", "case 7")
    assert certificate.tables["letters"] == {"held": 2, "hold": "case 7"}
    assert certificate.tables["users"] == {"emptied": 1}


def test_what_was_released_goes_with_another_erasure(timber: Timber) -> None:
    planted(timber)
    timber.retention.hold("letters", reason="case 7")
    timber.gdpr.erase("ann")
    timber.retention.release("letters")

    certificate = timber.gdpr.erase("ann")

    assert certificate.tables["letters"] == {"deleted": 2, "unlinked": 1}
    assert shown(timber, "users", "user_id") == [("bob",)]


def test_held_rows_that_are_encrypted_keep_their_person_from_being_erased(
    timber: Timber,
) -> None:
    planted(timber)
    diary = timber.models.get("Diary")
    with timber.database.session_scope() as session:
        session.add(diary(id="1", user_id="ann", page="evidence"))
    timber.retention.hold("diaries", reason="case 8")

    with pytest.raises(ErasureError, match=r"diaries.*case 8.*release"):
        timber.gdpr.erase("ann")

    assert timber.gdpr.status() == []
    with timber.database.session_scope() as session:
        assert session.get_one(diary, "1").page == "evidence"
    timber.retention.release("diaries")
    assert timber.gdpr.erase("ann").tables["diaries"] == {"deleted": 1}
