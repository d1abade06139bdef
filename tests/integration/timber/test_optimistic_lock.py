"""What the version of a row promises, on SQLite in memory, in a file, and on PostgreSQL."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from tests.integration.timber.conftest import add, read

from timber.common.database.session import TimberSession
from timber.common.errors import ConflictError, MissingValueError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


@pytest.fixture
def page(timber: Timber) -> type[Any]:
    """Store one page, and return the model."""
    model = timber.models.get("Page")
    add(timber, model(id="one", slug="one", body="first"))
    return model


def version(timber: Timber, page: type[Any]) -> int:
    statement = select(page.__table__.c.version).where(page.__table__.c.id == "one")
    return int(read(timber, lambda session: session.scalar(statement)))


def test_each_change_counts_and_no_change_does_not(timber: Timber, page: type[Any]) -> None:
    assert version(timber, page) == 1

    for body in ("second", "second", "third"):
        with timber.database.session_scope() as session:
            session.get_one(page, "one").body = body

    assert version(timber, page) == 3


def test_a_lost_update_is_a_conflict(timber: Timber, page: type[Any]) -> None:
    mine = read(timber, lambda session: session.get_one(page, "one"))
    with timber.database.session_scope() as session:
        session.get_one(page, "one").body = "yours"

    mine.body = "mine"
    with pytest.raises(ConflictError, match="read the row again"):
        add(timber, mine)

    assert read(timber, lambda session: session.get_one(page, "one").body) == "yours"


@pytest.mark.parametrize("way", ["delete", "hard_delete", "merge", "bulk_save_objects"])
def test_every_way_of_the_session_sees_the_conflict(
    timber: Timber, page: type[Any], way: str
) -> None:
    mine = read(timber, lambda session: session.get_one(page, "one"))
    with timber.database.session_scope() as session:
        session.get_one(page, "one").body = "yours"

    def work(session: TimberSession) -> None:
        match way:
            case "merge":
                session.merge(page(id="one", version=1, body="mine"))
            case "bulk_save_objects":
                mine.body = "mine"
                session.bulk_save_objects([mine])
            case _:
                getattr(session, way)(mine)

    with pytest.raises(ConflictError):
        read(timber, work)

    assert read(timber, lambda session: session.get_one(page, "one").body) == "yours"


def test_a_row_that_is_gone_is_a_conflict_too(timber: Timber, page: type[Any]) -> None:
    mine = read(timber, lambda session: session.get_one(page, "one"))
    read(timber, lambda session: session.execute(page.__table__.delete()))

    mine.body = "mine"
    with pytest.raises(ConflictError):
        add(timber, mine)


@pytest.mark.parametrize("way", ["model", "table", "engine", "query", "mappings", "upsert"])
def test_statements_count_the_version_up(timber: Timber, page: type[Any], way: str) -> None:
    table = page.__table__
    is_sqlite = timber.database.engine.dialect.name == "sqlite"
    row = {"id": "one", "slug": "one", "created_at": None, "updated_at": None}
    with timber.database.session_scope() as session:
        match way:
            case "model":
                session.execute(update(page).values(body="x"))
            case "table":
                session.execute(update(table).values(body="x"))
            case "engine":
                session.rollback()
                with timber.database.engine.begin() as connection:
                    connection.execute(update(table).values(body="x"))
            case "query":
                session.query(page).update({"body": "x"})
            case "mappings":
                session.bulk_update_mappings(page, [{"id": "one", "version": 1, "body": "x"}])
            case _:
                upsert: Any = (sqlite if is_sqlite else postgresql).insert(page)
                row = {"id": "one", "slug": "one", "body": "x"}
                change = {"body": upsert.excluded.body}
                session.execute(
                    upsert.values(row).on_conflict_do_update(index_elements=["id"], set_=change)
                )

    assert version(timber, page) == 2
    assert read(timber, lambda session: session.get_one(page, "one").body) == "x"


@pytest.mark.parametrize("way", ["values", "in order", "parameters"])
def test_an_update_of_an_alias_counts_the_version_up(
    timber: Timber, page: type[Any], way: str
) -> None:
    other = page.__table__.alias()
    given: Mapping[str, tuple[Any, list[dict[str, Any]] | None]] = {
        "values": (update(other).values(body="x"), None),
        "in order": (update(other).ordered_values(("body", "x")), None),
        "parameters": (
            update(other).where(other.c.id == bindparam("key")),
            [{"key": "one", "body": "x"}],
        ),
    }

    read(timber, lambda session: session.execute(*given[way]))

    assert version(timber, page) == 2
    assert read(timber, lambda session: session.get_one(page, "one").body) == "x"


def test_an_update_by_key_must_say_its_version(timber: Timber, page: type[Any]) -> None:
    rows = [{"id": "one", "body": "x"}]

    with pytest.raises(MissingValueError, match="'version'"):
        read(timber, lambda session: session.bulk_update_mappings(page, rows))
    with pytest.raises(MissingValueError, match="'version'"):
        read(timber, lambda session: session.execute(update(page), rows))


def test_a_row_at_hand_is_no_conflict_after_a_statement_of_its_own_session(
    timber: Timber, page: type[Any]
) -> None:
    with timber.database.session_scope() as session:
        row = session.get_one(page, "one")
        session.execute(update(page).values(body="by statement"))

        row.slug = "two"

    assert version(timber, page) == 3
