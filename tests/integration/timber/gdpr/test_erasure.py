"""What is gone after an erasure, what stays, and what it is promised to leave alone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.integration.timber.gdpr.conftest import naming, plant, stored, without

from timber.common.errors import ErasureError, InvalidRequestError, RecordNotFoundError
from timber.common.gdpr import rows as row_erasing
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

_MOVING = {"vector_sources", "vector_partitions"}
"""Tables with a count of their own changes."""


def test_whoever_is_erased_is_named_nowhere_and_the_rows_of_others_are_as_they_were(
    timber: Timber,
) -> None:
    plant(timber, "ann", "bob", "cid")
    rows = stored(timber)
    [session_id] = [str(row["id"]) for row in rows["research"] if row["user_id"] == "ann"]
    before = without(rows, f"(ann|{session_id})")

    certificate = timber.gdpr.erase("ann")

    after = stored(timber)
    assert naming(after, "ann") == {}
    anonymised = [row for row in after["orders"] if row["buyer_id"] is None]
    [order] = anonymised
    assert (order["gift_text"], order["total"]) == (None, 12)
    assert order["street"] not in {"ann's street", ""}
    after["orders"].remove(order)
    assert {name: some for name, some in after.items() if name not in _MOVING} == {
        name: some for name, some in before.items() if name not in _MOVING
    }
    assert certificate.tables["notes"] == {"deleted": 3}
    assert certificate.tables["orders"] == {"anonymised": 1, "unlinked": 1}
    assert certificate.tables["note_tags"] == {"deleted": 3}
    assert certificate.facts["texts"] == 4
    assert not re.search(r"\bann\b", certificate.as_json())


def test_nothing_is_found_of_whoever_is_erased(timber: Timber) -> None:
    plant(timber, "ann", "bob")
    found = timber.vector_search.search("ann's note", limit=50)
    assert any("ann's" in one["content"] for one in found)

    timber.gdpr.erase("ann")
    timber.vector_ingestion.process_pending()

    found = timber.vector_search.search("ann's note", limit=50)
    assert found
    assert not any("ann" in one["content"] for one in found)


def test_a_cached_row_is_not_told_any_more(timber: Timber) -> None:
    plant(timber, "ann")
    note = timber.models.get("Note")
    known = timber.database.get(note, "ann-0")
    assert known is not None
    assert known.body == "ann's note ann-0"

    timber.gdpr.erase("ann")

    assert timber.database.get(note, "ann-0") is None


def test_rows_of_others_lose_the_link_and_nothing_else(timber: Timber) -> None:
    plant(timber, "ann", "bob")
    notes = timber.base.metadata.tables["notes"]
    with timber.database.engine.begin() as connection:
        connection.execute(
            notes.update()
            .where(notes.c.id == "bob-0")
            .values(reviewed_by="ann", answers="ann-1", best_line=100)
        )
    before = {row["id"]: row for row in stored(timber)["notes"]}

    certificate = timber.gdpr.erase("ann")

    after = {row["id"]: row for row in stored(timber)["notes"]}
    links = {"reviewed_by": None, "answers": None, "best_line": None}
    assert after["bob-0"] == before["bob-0"] | links
    assert after["bob-1"] == before["bob-1"]
    assert certificate.tables["notes"] == {"deleted": 3, "unlinked": 3}


def test_what_is_retained_stays_as_it_is_and_what_it_needs_is_emptied(timber: Timber) -> None:
    plant(timber, "ann", "bob")
    invoices = timber.base.metadata.tables["invoices"]
    mine = {"id": 1, "order_id": 1, "approved_by": "ann", "addressee": "ann's address"}
    theirs = {"id": 2, "order_id": 2, "approved_by": "ann", "addressee": "bob's address"}
    with timber.database.engine.begin() as connection:
        connection.execute(insert(invoices), [mine, theirs])

    plan = {one.table: one for one in timber.gdpr.plan("ann").tables if one.action != "unlink"}
    certificate = timber.gdpr.erase("ann")

    after = stored(timber)
    assert after["invoices"] == [mine, theirs | {"approved_by": None}]
    user = next(row for row in after["users"] if row["user_id"] == "ann")
    assert (user["email"], user["username"]) == ("", "")
    assert user["deleted_at"] is not None
    assert certificate.tables["invoices"] == {
        "retained": 1,
        "unlinked": 1,
        "reason": "The tax law.",
        "personal": ["addressee"],
    }
    assert certificate.tables["users"] == {"emptied": 1}
    assert (plan["invoices"].rows, plan["invoices"].reason) == (1, "The tax law.")
    assert plan["invoices"].paths == ("order_id.buyer_id",)
    assert (plan["users"].rows, plan["users"].emptied) == (1, 1)


def test_a_row_that_rows_of_others_need_is_emptied_and_theirs_stay(timber: Timber) -> None:
    plant(timber, "ann", "bob")
    comments = timber.base.metadata.tables["comments"]
    with timber.database.engine.begin() as connection:
        connection.execute(
            insert(comments),
            [
                {"id": 1, "author_id": "bob", "note_id": "ann-0", "words": "bob's comment"},
                {"id": 2, "author_id": "ann", "note_id": "bob-0", "words": "ann's comment"},
            ],
        )

    timber.gdpr.erase("ann")

    after = stored(timber)
    assert [row["words"] for row in after["comments"]] == ["bob's comment"]
    shell = next(row for row in after["notes"] if row["id"] == "ann-0")
    assert (shell["body"], shell["answers"], shell["author_id"]) == (None, None, "ann")
    assert shell["deleted_at"] is not None
    assert naming(after, "ann") == {"notes": 1, "comments": 1, "users": 1}
    found = timber.vector_search.search("ann's note", limit=50)
    assert not any("ann" in one["content"] for one in found)


def test_a_plan_says_what_the_erasure_then_does_and_changes_nothing(timber: Timber) -> None:
    plant(timber, "ann", "bob")
    before = stored(timber)

    plan = timber.gdpr.plan("ann")

    assert stored(timber) == before
    certificate = timber.gdpr.erase("ann")
    done = {"delete": "deleted", "anonymise": "anonymised", "unlink": "unlinked"}
    planned = {(one.table, done[one.action]): one.rows - one.emptied for one in plan.tables}
    told = {
        (table, what): count
        for table, counts in certificate.tables.items()
        for what, count in counts.items()
    }
    assert planned == told
    assert plan.texts == certificate.facts["texts"]
    paths = {one.table: one.paths for one in plan.tables}
    assert paths["lines"] == ("note_id.author_id",)
    assert paths["users"] == ("the person",)


def test_erasing_again_returns_the_same_certificate(timber: Timber) -> None:
    plant(timber, "ann")

    first, second = timber.gdpr.erase("ann"), timber.gdpr.erase("ann")

    assert first == second


@pytest.mark.parametrize(
    ("ask", "error", "told"),
    [
        (lambda one: one.erase("nobody"), RecordNotFoundError, "User not found: 'nobody'"),
        (lambda one: one.plan("ann", model="Note"), ErasureError, "Note are no persons"),
        (lambda one: next(one.export("nobody")), RecordNotFoundError, "not found"),
        (lambda one: one.erase(17), InvalidRequestError, "is of type VARCHAR"),
    ],
)
def test_whom_it_cannot_find_it_says_so(
    timber: Timber, ask: Callable[[Any], Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        ask(timber.gdpr)


def test_rows_that_are_written_meanwhile_go_too(
    timber: Timber, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(timber, "ann")
    visits = timber.base.metadata.tables["visits"]
    late = row_erasing.RowEraser.delete_rows

    def write_late(self: Any, erasing: Any, following: Any) -> None:
        late(self, erasing, following)
        with timber.database.engine.begin() as connection:
            there = connection.execute(select(visits).where(visits.c.id == 99)).first()
            if erasing.counts.sweeps == 0 and there is None:
                connection.execute(
                    insert(visits), {"id": 99, "user_id": "ann", "page": "ann's late page"}
                )

    monkeypatch.setattr(row_erasing.RowEraser, "delete_rows", write_late)

    certificate = timber.gdpr.erase("ann")

    assert naming(stored(timber), "ann") == {}
    assert certificate.tables["visits"] == {"deleted": 2}


def test_a_timber_without_the_flag_says_what_is_missing(open_plain: Timber) -> None:
    with pytest.raises(ErasureError, match="no model enables `gdpr`"):
        open_plain.gdpr.erase("ann")


@pytest.fixture
def open_plain() -> Any:
    from timber.common.settings import TimberSettings  # noqa: PLC0415

    with Timber().opened(TimberSettings(packaged_models=False)) as timber:
        yield timber


async def test_the_event_loop_erases_and_exports_too(timber: Timber) -> None:
    plant(timber, "ann")

    plan = await timber.gdpr.async_plan("ann")
    async with timber.gdpr.async_export("ann") as rows:
        sections = {row.section async for row in rows}
    certificate = await timber.gdpr.async_erase("ann")

    assert "Note" in sections
    assert plan.rows
    assert certificate.count("deleted")
