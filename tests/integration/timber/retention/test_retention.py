"""Rows are kept as long as model files say, and no longer; the log proves it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from tests.integration.timber.retention.conftest import NOW, ago

from timber.common.errors import InvalidRequestError, NotOpenError
from timber.common.retention.service import Outcome
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def fill(timber: Timber, model: str, *rows: dict[str, Any]) -> None:
    timber.database.bulk_insert(timber.models.get(model), rows)


def ids(timber: Timber, table: str) -> list[int]:
    with timber.database.engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT id FROM {table} ORDER BY id")))


def outcome(found: tuple[Outcome, ...], table: str) -> Outcome:
    [one] = [one for one in found if one.table == table]
    return one


def test_what_is_old_enough_goes_and_the_rest_stays(timber: Timber) -> None:
    fill(
        timber,
        "Letter",
        {"id": 1, "sent_at": ago(11)},
        {"id": 2, "sent_at": ago(9)},
        {"id": 3, "sent_at": None},
        {"id": 4, "sent_at": ago(400), "deleted_at": ago(2)},
        {"id": 5, "sent_at": ago(10)},
    )

    found = timber.retention.run()

    assert ids(timber, "letters") == [2, 3, 5]
    assert outcome(found, "letters").rows == 2


def test_a_row_under_legal_hold_stays(timber: Timber) -> None:
    fill(
        timber,
        "Letter",
        {"id": 1, "sent_at": ago(50), "kept": True},
        {"id": 2, "sent_at": ago(50), "kept": False},
        {"id": 3, "sent_at": ago(50), "kept": None},
    )

    found = timber.retention.run()

    assert ids(timber, "letters") == [1]
    assert (outcome(found, "letters").rows, outcome(found, "letters").held) == (2, 1)


def test_rows_that_others_need_are_told_and_not_half_deleted(timber: Timber) -> None:
    fill(timber, "Case", *({"id": number, "closed_at": ago(60)} for number in (1, 2, 3)))
    fill(
        timber,
        "Letter",
        {"id": 1, "case_id": 1, "sent_at": ago(60)},  # goes, and sets its case free
        {"id": 2, "case_id": 2, "sent_at": ago(1)},
    )
    fill(timber, "Page", {"id": 1, "letter_id": 1}, {"id": 2, "letter_id": 2})

    found = timber.retention.run()

    assert (ids(timber, "cases"), ids(timber, "letters"), ids(timber, "pages")) == ([2], [2], [2])
    assert (outcome(found, "cases").rows, outcome(found, "cases").needed) == (2, 1)


def test_what_is_anonymised_keeps_its_row_and_is_done_once(timber: Timber) -> None:
    day = ago(30).date()
    fill(
        timber,
        "Visitor",
        {"id": 1, "name": "Ann", "email": "a@example.org", "came_on": day},
        {"id": 2, "name": "Bob", "email": "b@example.org", "came_on": NOW.date()},
    )

    found = timber.retention.run()
    again = timber.retention.run()

    table: Any = timber.models.get("Visitor").__table__
    with timber.database.engine.connect() as connection:
        rows = connection.execute(select(table.c.id, table.c.name, table.c.email)).all()
    assert sorted(map(tuple, rows)) == [(1, "", None), (2, "Bob", "b@example.org")]
    assert (outcome(found, "visitors").rows, outcome(again, "visitors").rows) == (1, 0)


def test_a_held_table_stays_and_keeps_what_would_take_it_along(timber: Timber) -> None:
    fill(timber, "Letter", {"id": 1, "sent_at": ago(60)}, {"id": 2, "sent_at": ago(60)})
    fill(timber, "Page", {"id": 1, "letter_id": 1})
    timber.retention.hold("pages", reason="case 7")

    found = timber.retention.run()

    assert (ids(timber, "letters"), ids(timber, "pages")) == ([1], [1])
    assert outcome(found, "letters").needed == 1
    timber.retention.hold("letters", reason="case 8")
    assert outcome(timber.retention.run(), "letters").hold == "case 8"
    assert timber.retention.release("pages")
    assert timber.retention.release("letters")
    assert not timber.retention.release("letters")
    timber.retention.run()
    assert (ids(timber, "letters"), ids(timber, "pages")) == ([], [])
    assert [one.operation for one in timber.audit.log(table="pages")] == ["release", "hold"]


def test_a_dry_run_changes_nothing(timber: Timber) -> None:
    fill(timber, "Letter", {"id": 1, "sent_at": ago(60)})

    found = timber.retention.run(dry_run=True)

    assert outcome(found, "letters").rows == 1
    assert ids(timber, "letters") == [1]
    assert list(timber.audit.log(operation="retain")) == []


def test_the_log_says_what_was_done_by_which_rule(timber: Timber) -> None:
    fill(
        timber, "Letter", *({"id": number, "sent_at": ago(60 + number)} for number in range(1_100))
    )

    timber.retention.run(tables=["letters"])

    *batches, last = reversed(list(timber.audit.log(operation="retain")))
    assert [one.facts["rows"] for one in batches] == [500, 500, 100]
    assert batches[0].facts["first"] == ago(60 + 1_099).isoformat()
    assert batches[-1].facts["last"] == ago(60).isoformat()
    assert batches[0].facts["rule"] == {
        "hours": 240,
        "outcome": "delete",
        "since": "sent_at",
        "legal_hold": "kept",
    }
    assert (last.facts["finished"], last.facts["rows"]) == (1, 1_100)
    assert len({one.facts["run"] for one in (*batches, last)}) == 1
    assert len(list(timber.audit.log(table="letters", operation="delete"))) == 1_100
    assert timber.audit.verify().is_intact


def test_the_status_says_what_is_due(timber: Timber) -> None:
    fill(
        timber,
        "Letter",
        {"id": 1, "sent_at": ago(60)},
        {"id": 2, "sent_at": ago(60), "kept": True},
    )

    before = {one.table: one for one in timber.retention.status()}["letters"]
    timber.retention.run()
    after = {one.table: one for one in timber.retention.status()}["letters"]

    assert (before.due, before.held, before.last_run) == (1, 1, None)
    assert (after.due, after.held, after.last_run) == (0, 1, NOW)


def test_what_is_no_table_is_refused(timber: Timber) -> None:
    with pytest.raises(InvalidRequestError, match="letters"):
        timber.retention.run(tables=["lettres"])
    with pytest.raises(InvalidRequestError, match="pages"):
        timber.retention.hold("page", reason="x")
    with pytest.raises(InvalidRequestError, match="reason"):
        timber.retention.hold("pages", reason=" ")


def test_a_closed_timber_has_no_rules(tmp_path: Path) -> None:
    with pytest.raises(NotOpenError):
        Timber().retention.run()
