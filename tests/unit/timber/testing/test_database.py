"""What databases of tests are kept from."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.unit.timber.conftest import OpenTimber

from timber.common.errors import ConfigurationError, MissingReferenceError
from timber.testing.database import empty_tables, refuse_foreign_rows, url_for_worker

CIRCLE = """
    models:
      - name: Chicken
        table_name: chickens
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: mother_id, type: Integer, foreign_key: chickens.id}
          - {name: egg_id, type: Integer, foreign_key: eggs.id}
      - name: Egg
        table_name: eggs
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: chicken_id, type: Integer, foreign_key: chickens.id}
"""


@pytest.mark.parametrize(
    ("url", "worker", "own"),
    [
        ("sqlite:///tests.db", None, "sqlite:///tests.db"),
        ("sqlite:///tests.db", "gw1", "sqlite:///tests.db-gw1"),
        ("sqlite:///:memory:", "gw1", "sqlite:///:memory:"),
        ("sqlite://", "gw1", "sqlite://"),
        ("no url", "gw1", "no url"),
    ],
)
def test_a_worker_gets_a_database_of_its_own(url: str, worker: str | None, own: str) -> None:
    assert url_for_worker(url, worker) == own


def test_a_database_with_rows_is_refused_and_an_empty_one_is_not(
    open_timber: OpenTimber, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    timber = open_timber(database_url=url)
    refuse_foreign_rows(url)

    with timber.database.session_scope() as session:
        session.add(timber.models.get("User")(user_id="1", email="e", username="u"))

    with pytest.raises(ConfigurationError, match="TEST_DATABASE_URL"):
        refuse_foreign_rows(url)


def test_tables_that_point_to_each_other_are_emptied(open_timber: OpenTimber) -> None:
    timber = open_timber(CIRCLE)
    chicken, egg = timber.models.get("Chicken"), timber.models.get("Egg")
    with timber.database.session_scope() as session:
        session.add_all([chicken(id=1), egg(id=1, chicken_id=1), chicken(id=2, mother_id=1)])
        session.flush()
        session.get_one(chicken, 1).egg_id = 1

    with timber.database.engine.begin() as connection:
        empty_tables(connection, timber.base.metadata)

    with timber.database.session_scope() as session:
        for model in (chicken, egg):
            assert session.scalar(select(func.count()).select_from(model)) == 0


def test_references_are_checked_again_once_tables_are_empty(open_timber: OpenTimber) -> None:
    timber = open_timber(CIRCLE)
    egg = timber.models.get("Egg")

    with timber.database.engine.begin() as connection:
        empty_tables(connection, timber.base.metadata)

        with pytest.raises(MissingReferenceError):
            connection.execute(egg.__table__.insert(), [{"id": 1, "chicken_id": 9}])


def test_what_triggers_tell_of_rows_that_go_goes_too(open_timber: OpenTimber) -> None:
    timber = open_timber(
        """
        models:
          - name: Note
            table_name: notes
            columns:
              - {name: id, type: Integer, primary_key: true}
              - {name: body, type: Text}
            vector_search: {enabled: true, content_field: body}
        """,
        enable_auto_vector_ingestion=False,
    )
    with timber.database.session_scope() as session:
        session.add(timber.models.get("Note")(body="tea"))

    with timber.database.engine.begin() as connection:
        empty_tables(connection, timber.base.metadata)

    with timber.database.engine.connect() as connection:
        tables = timber.base.metadata.tables.values()
        left = {one.name for one in tables if connection.execute(one.select()).first()}
    assert left == set()
