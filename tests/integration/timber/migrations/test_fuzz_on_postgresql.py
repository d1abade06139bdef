"""Random models become other random models, on PostgreSQL, with rows in them."""

import tempfile
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from psycopg import sql
from sqlalchemy import make_url
from tests.migration_fuzz import run
from tests.migration_pairs import Pair, pairs

SCHEMA = sql.SQL("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
UNHURRIED = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,  # each example empties the database by itself
]


def migrate_there_and_back(postgresql_url: str, pair: Pair) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    url = make_url(postgresql_url).render_as_string(hide_password=False)

    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), pair, url)


@pytest.mark.timeout(600)
@settings(max_examples=5, deadline=None, suppress_health_check=UNHURRIED)
@given(pair=pairs())
def test_nothing_is_lost_that_was_not_declared(postgresql_url: str, pair: Pair) -> None:
    migrate_there_and_back(postgresql_url, pair)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=200, deadline=None, suppress_health_check=UNHURRIED)
@given(pair=pairs())
def test_nothing_is_lost_in_two_hundred_changes_of_models(postgresql_url: str, pair: Pair) -> None:
    migrate_there_and_back(postgresql_url, pair)
