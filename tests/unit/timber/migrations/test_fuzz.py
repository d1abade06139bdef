"""Random models become other random models, on SQLite, with rows in them."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.migration_fuzz import run
from tests.migration_pairs import Pair, pairs

UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]


def migrate_there_and_back(pair: Pair) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), pair, f"sqlite:///{folder}/data.db")


@pytest.mark.timeout(300)
@settings(max_examples=5, deadline=None, suppress_health_check=UNHURRIED)
@given(pair=pairs())
def test_nothing_is_lost_that_was_not_declared(pair: Pair) -> None:
    migrate_there_and_back(pair)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=200, deadline=None, suppress_health_check=UNHURRIED)
@given(pair=pairs())
def test_nothing_is_lost_in_two_hundred_changes_of_models(pair: Pair) -> None:
    migrate_there_and_back(pair)
