"""What the chain leaves alone."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from puppet_engine.core.clock import VirtualClock
from puppet_engine.world.chain.router import Chain


def test_a_database_of_the_same_thread_still_computes_right() -> None:
    query = "SELECT printf('%.1f', 1.5), CAST(CAST(1.5 AS TEXT) AS NUMERIC) = 1.5"
    with closing(sqlite3.connect(":memory:")) as database:
        Chain(clock=VirtualClock(datetime(2026, 5, 4, 12, tzinfo=UTC)), seed=7)

        assert database.execute(query).fetchone() == ("1.5", 1)
