"""A row from the cache is what a row from the database is, and asks the database nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, inspect

from timber.common.errors import RecordNotFoundError
from timber.common.runtime import Timber
from timber.testing.isolation import isolated

pytestmark = pytest.mark.integration

VALUES: dict[str, Any] = {
    "title": "A Room",
    "pages": 112,
    "tags": ["essay", {"by": "Woolf"}],
    "price": Decimal("7.50"),
    "bought_at": datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC),
    "cover": b"\x00\xff",
    "vector": None,
    "shelf_id": "shelf",
}


@pytest.fixture(autouse=True)
def stored(timber: Timber, book: type[Any]) -> None:
    """Store a book, and have it remembered."""
    with timber.database.session_scope() as session:
        session.add(timber.models.get("Shelf")(id="shelf", label="Essays"))
        session.flush()
        session.add(book(id="one", **VALUES))
        session.add(timber.models.get("Ticket")(number=7, title="old"))
    assert timber.database.get(book, "one") is not None
    assert timber.database.get(timber.models.get("Ticket"), 7) is not None


@contextmanager
def nothing_asked(timber: Timber) -> Iterator[None]:
    """Fail if the database is asked anything in the block."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(timber.database.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(timber.database.engine, "before_cursor_execute", note)
    assert asked == []


def test_a_known_row_is_read_without_the_database(timber: Timber, book: Any) -> None:
    with nothing_asked(timber):
        row = timber.database.get(book, "one")

    assert row is not None
    assert {name: getattr(row, name) for name in VALUES} == VALUES
    assert inspect(row).detached
    assert not inspect(row).modified


async def test_the_event_loop_reads_it_as_well(timber: Timber, book: Any) -> None:
    with nothing_asked(timber):
        row = await timber.database.async_get(book, "one")

    assert row is not None
    assert row.title == "A Room"
    assert await timber.database.async_get(book, "none") is None


def test_a_row_without_a_cache_is_read_all_the_same(timber: Timber) -> None:
    shelf = timber.models.get("Shelf")

    row = timber.database.get(shelf, "shelf")

    assert row is not None
    assert row.label == "Essays"
    assert inspect(row).detached
    assert timber.database.get(shelf, "none") is None


def test_what_one_reader_does_to_a_row_no_other_sees(timber: Timber, book: Any) -> None:
    mine = timber.database.get(book, "one")
    assert mine is not None
    mine.title = "mine"
    mine.tags[1]["by"] = "me"
    mine.tags.append("mine")

    theirs = timber.database.get(book, "one")

    assert theirs is not None
    assert (theirs.title, theirs.tags) == (VALUES["title"], VALUES["tags"])


def test_a_row_of_a_session_is_as_if_it_was_just_read(timber: Timber, book: Any) -> None:
    with timber.database.session() as session:
        with nothing_asked(timber):
            row: Any = session.get_one(book, "one")
            assert [session.get(book, "one")] == [row]
            assert (inspect(row).persistent, inspect(row).modified) == (True, False)
            assert row in session
            assert row not in session.dirty

        assert row.shelf.label == "Essays"

        row.title = "new"
        session.commit()
    changed = timber.database.get(book, "one")
    assert changed is not None
    assert changed.title == "new"


def test_a_rollback_lets_it_be_read_again(timber: Timber, book: Any) -> None:
    with timber.database.session() as session:
        row = session.get_one(book, "one")

        session.rollback()

        assert inspect(row).expired_attributes
        assert row.title == VALUES["title"]


def test_it_is_told_to_those_who_listen_for_rows_that_are_loaded(
    timber: Timber, book: Any
) -> None:
    loaded: list[Any] = []
    attached: list[Any] = []
    note = lambda row, _context: loaded.append(row.id)  # noqa: E731 - to be removed again
    event.listen(book, "load", note)
    try:
        with timber.database.session() as session:
            event.listen(session, "loaded_as_persistent", lambda _, row: attached.append(row.id))
            session.get(book, "one")
        timber.database.get(book, "one")
    finally:
        event.remove(book, "load", note)

    assert (loaded, attached) == (["one", "one"], ["one"])


def test_the_database_counts_its_version_when_it_is_changed(timber: Timber) -> None:
    ticket = timber.models.get("Ticket")

    for title in ("new", "newer"):
        with timber.database.session_scope() as session:
            session.get_one(ticket, 7).title = title

    row = timber.database.get(ticket, 7)
    assert row is not None
    assert (row.title, row.version) == ("newer", 3)


def test_a_deleted_row_is_none_unless_the_session_shows_the_deleted(timber: Timber) -> None:
    ticket = timber.models.get("Ticket")
    with timber.database.session_scope() as session:
        session.delete(session.get(ticket, 7))

    assert timber.database.get(ticket, 7) is None
    with nothing_asked(timber):
        assert timber.database.get(ticket, 7) is None
        with timber.database.session() as session:
            assert session.get(ticket, 7) is None
            session.info["include_deleted"] = True
            assert session.get(ticket, 7) is not None


def test_in_an_isolated_test_the_row_is_that_of_the_test(timber: Timber, book: Any) -> None:
    with isolated(timber.database):
        with timber.database.session_scope() as session:
            session.get_one(book, "one").title = "of the test"

        row = timber.database.get(book, "one")
        assert row is not None
        assert row.title == "of the test"

    row = timber.database.get(book, "one")
    assert row is not None
    assert row.title == VALUES["title"]


def test_services_read_through_the_cache(timber: Timber) -> None:
    sessions = timber.persistence.sessions
    with timber.database.session_scope() as session:
        session.add(timber.models.get("User")(user_id="ada", email="a@x", username="ada"))
    key = sessions.create_session("visit", "ada")
    assert sessions.get_session(key, "visit").phase == "open"

    with nothing_asked(timber):
        assert sessions.get_session(key, "visit").phase == "open"

    sessions.transition_state(key, "visit", "shut")
    assert sessions.get_session(key, "visit").phase == "shut"
    with timber.persistence.unit_of_work() as unit:
        unit.sessions.update_session_data(key, "visit", {"seen": True})
        assert unit.sessions.get_session(key, "visit").data == {"seen": True}
    with pytest.raises(RecordNotFoundError):
        sessions.get_session(None, "visit")
