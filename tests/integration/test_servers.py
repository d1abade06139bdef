"""The servers that the other tests rely on are the ones they expect."""

import psycopg
import pytest
import redis

pytestmark = pytest.mark.integration


def test_postgresql_has_vectors(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE EXTENSION vector")
        row = connection.execute("SELECT '[1,2]'::vector <-> '[1,4]'::vector").fetchone()

    assert row == (2.0,)


def test_redis_keeps_what_it_is_given(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("key", b"value")

        assert client.get("key") == b"value"
