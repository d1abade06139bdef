"""What the admin site needs of a database, on SQLite in memory, in a file, and on PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session
from tests.integration.timber.conftest import SteppingClock, add, read

from timber.admin.counting import COUNTED
from timber.admin.errors import WHOLE_FORM
from timber.admin.problems import problems_at_fields
from timber.admin.rows import Change, Query, Rows
from timber.admin.server import opened_for_admin
from timber.admin.shape import Shape
from timber.common.errors import DatabaseError, DuplicateError, SchemaMismatchError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration


@pytest.fixture
def shapes(timber: Timber) -> dict[str, Shape]:
    return {name: Shape(timber.models.get(name)) for name in timber.models.names()}


@pytest.fixture
def accounts(shapes: dict[str, Shape], clock: SteppingClock) -> Rows:
    return Rows(shapes["Account"], clock=clock, shapes=shapes, secret="secret")


def test_a_large_table_is_estimated_where_the_database_can(
    timber: Timber, account: type[Any], accounts: Rows
) -> None:
    rows = [{"id": f"{number}", "label": f"{number}"} for number in range(COUNTED + 2_345)]
    with timber.database.session_scope() as session:
        session.execute(insert(account), rows)
    on_postgresql = timber.database.engine.dialect.name == "postgresql"
    if on_postgresql:
        with timber.database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("ANALYZE accounts"))

    count = read(timber, lambda session: accounts.count(session, Query()))
    found = read(timber, lambda session: accounts.count(session, Query(search="1234")))

    assert str(count) == ("about 12,000" if on_postgresql else "more than 10,000")
    assert count == COUNTED + 1
    assert str(found) == str(sum("1234" in row["label"] for row in rows))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"label": "taken"}, "label"),
        ({"id": "taken", "label": "new"}, "id"),
        ({}, "label"),
    ],
    ids=["unique", "primary key", "not null"],
)
def test_what_the_database_refuses_is_said_at_the_field(
    timber: Timber, account: type[Any], accounts: Rows, values: dict[str, Any], field: str
) -> None:
    add(timber, account(id="taken", label="taken"))

    with pytest.raises(DatabaseError) as refused:
        read(timber, lambda session: accounts.create(session, Change(values=values)))

    assert list(problems_at_fields(refused.value, Shape(account))) == [field]


def test_what_names_no_field_is_said_of_the_whole_form(account: type[Any]) -> None:
    error = DuplicateError("something unheard of")

    assert list(problems_at_fields(error, Shape(account))) == [WHOLE_FORM]


def test_a_row_is_found_by_its_text_and_by_its_key(
    timber: Timber, account: type[Any], accounts: Rows
) -> None:
    add(timber, account(id="a-key", label="Ünder_score"), account(id="other", label="underXscore"))

    def ids(search: str) -> list[str]:
        def work(session: Session) -> list[str]:
            found = accounts.page(session, Query(search=search), order=[], offset=0, limit=9)
            return [row.id for row in found]

        return read(timber, work)  # type: ignore[no-any-return]

    assert ids("der_s") == ["a-key"]
    assert ids("a-key") == ["a-key"]


def test_a_search_in_a_large_table_looks_whole_values_up(
    timber: Timber, account: type[Any], shapes: dict[str, Shape], clock: SteppingClock
) -> None:
    large = Rows(shapes["Account"], clock=clock, shapes=shapes, secret="secret", read_through=2)
    add(timber, *(account(id=f"key {name}", label=f"label {name}") for name in "abc"))

    def ids(search: str) -> list[str]:
        def work(session: Session) -> list[str]:
            found = large.page(session, Query(search=search), order=[], offset=0, limit=9)
            return [row.id for row in found]

        return read(timber, work)  # type: ignore[no-any-return]

    assert ids("label") == []
    assert ids("label b") == ids("key b") == ["key b"]
    assert read(timber, large.looks_up)


# Nobody else can open a database in memory.
@pytest.mark.parametrize("database_url", ["file", "postgresql"], indirect=True)
def test_reading_only_is_kept_by_the_database(
    timber: Timber, account: type[Any], database_url: str
) -> None:
    settings = TimberSettings(
        database_url=database_url, packaged_models=False, create_tables=False
    )
    with timber.database.session_scope() as session:
        session.execute(text("CREATE TABLE users2 (user_id INTEGER)"))

    with (
        opened_for_admin(settings, read_only=True) as opened,
        pytest.raises(DatabaseError),
        opened.database.session_scope() as session,
    ):
        session.execute(text("INSERT INTO users2 VALUES (1)"))


def test_a_database_without_the_tables_is_refused_at_the_start(database_url: str) -> None:
    settings = TimberSettings(database_url=database_url, create_tables=False)

    with (
        pytest.raises(SchemaMismatchError, match="no table"),
        opened_for_admin(settings, read_only=False),
    ):
        pass
