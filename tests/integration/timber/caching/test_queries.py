"""Answers to queries come from the cache, and are as fresh as rows."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import selectinload

from timber.common.caching.statistics import CacheStatistics
from timber.common.errors import NotCachedError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

CACHED: dict[str, Any] = {"cached": True}


@pytest.fixture(autouse=True)
def stored(timber: Timber, book: type[Any]) -> None:
    with timber.database.session_scope() as session:
        session.add_all(book(id=str(n), title=f"book {n}", pages=n) for n in range(5))


def titles(timber: Timber, statement: Any, **parameters: Any) -> list[str]:
    with timber.database.session_scope() as session:
        rows = session.scalars(statement, parameters, execution_options=CACHED).all()
        assert all(row in session for row in rows)
        return [row.title for row in rows]


def test_an_answer_is_remembered_by_query_and_parameters(
    timber: Timber, book: Any, done: Callable[[], CacheStatistics]
) -> None:
    def thicker_than(pages: int) -> Any:
        return select(book).where(book.pages > pages).order_by(book.id)

    first = [titles(timber, thicker_than(n)) for n in (2, 3)]
    again = [titles(timber, thicker_than(n)) for n in (2, 3)]

    assert first == again == [["book 3", "book 4"], ["book 4"]]
    assert (done().misses, done().hits) == (2, 2)


def test_an_empty_answer_is_remembered(
    timber: Timber, book: Any, done: Callable[[], CacheStatistics]
) -> None:
    nothing = select(book).where(book.id == "none")

    assert titles(timber, nothing) == titles(timber, nothing) == []
    assert done().hits == 1


@pytest.mark.parametrize("how", ["new", "changed", "deleted"])
def test_a_write_is_seen_by_the_next_query(timber: Timber, book: Any, how: str) -> None:
    thin = select(book).where(book.pages < 2).order_by(book.id)
    assert titles(timber, thin) == ["book 0", "book 1"]

    with timber.database.session_scope() as session:
        match how:
            case "new":
                session.add(book(id="0b", title="new", pages=0))
            case "changed":
                session.get_one(book, "0").title = "changed"
            case _:
                session.delete(session.get(book, "1"))

    expected = {"new": ["book 0", "new", "book 1"], "changed": ["changed", "book 1"]}
    assert titles(timber, thin) == expected.get(how, ["book 0"])


def test_deleted_rows_stay_hidden(timber: Timber) -> None:
    ticket = timber.models.get("Ticket")
    with timber.database.session_scope() as session:
        session.add_all([ticket(number=1, title="a"), ticket(number=2, title="b")])
    both = select(ticket).order_by(ticket.number)
    assert titles(timber, both) == ["a", "b"]

    with timber.database.session_scope() as session:
        session.delete(session.get(ticket, 1))

    assert titles(timber, both) == titles(timber, both) == ["b"]
    with timber.database.session_scope() as session:
        shown = {**CACHED, "include_deleted": True}
        rows = session.scalars(both, execution_options=shown).all()
        assert [row.title for row in rows] == ["a", "b"]


def test_rows_at_hand_stay_as_the_session_has_them(timber: Timber, book: Any) -> None:
    one = select(book).where(book.id == "1")
    titles(timber, one)

    with timber.database.session_scope() as session:
        mine = session.get(book, "1")

        assert session.scalars(one, execution_options=CACHED).one() is mine


def test_a_transaction_that_has_written_asks_the_database(timber: Timber, book: Any) -> None:
    one = select(book).where(book.id == "1")
    titles(timber, one)

    with timber.database.session() as session:
        session.execute(update(book).values(title="mine"))

        assert session.scalars(one, execution_options=CACHED).one().title == "mine"

        session.rollback()
    assert titles(timber, one) == ["book 1"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("columns", "selects one model"),
        ("uncached", "selects one model"),
        ("joined", "'shelves', whose model has no cache"),
        ("nested", "'shelves', whose model has no cache"),
        ("text", "without `text`"),
        ("locking", "locks nothing"),
        ("options", "options of loading"),
        ("parameter", "of type object"),
    ],
)
def test_what_cannot_be_cached_is_refused(timber: Timber, book: Any, name: str, what: str) -> None:
    shelf = timber.models.get("Shelf")
    statements: dict[str, Any] = {
        "columns": lambda: select(book.id),
        "uncached": lambda: select(shelf),
        "joined": lambda: select(book).join(book.shelf),
        "nested": lambda: select(book).where(book.shelf_id.in_(select(shelf.id))),
        "text": lambda: select(book).where(text("pages > 1")),
        "locking": lambda: select(book).with_for_update(),
        "options": lambda: select(book).options(selectinload(book.shelf)),
        "parameter": lambda: select(book).where(book.title == object()),
    }

    with pytest.raises(NotCachedError, match=what):
        titles(timber, statements[name]())
