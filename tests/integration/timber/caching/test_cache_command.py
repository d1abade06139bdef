"""What people see and scripts read of `timber cache`."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from tests.integration.timber.caching.conftest import OpenTimber
from tests.integration.timber.caching.test_redis import Server, server
from typer.testing import CliRunner, Result

from timber.commands.app import cli

__all__ = ["server"]
pytestmark = pytest.mark.integration

BOUND_SECONDS = 0.1
"""After this a process sees what others have told Redis, if nothing else is said."""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cache.db"


@pytest.fixture
def shared(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Let processes share a Redis."""
    monkeypatch.setenv("REDIS_URL", server.url)
    return server


@pytest.fixture
def timber(models: Path, database_url: str) -> Any:
    def run(*arguments: str) -> Result:
        given = [str(models), "--database", database_url]
        return CliRunner().invoke(cli, ["cache", *arguments, *given])

    return run


def test_the_models_with_a_cache_are_told(open_timber: OpenTimber, timber: Any) -> None:
    open_timber()

    told, facts = timber("status"), json.loads(timber("status", "--json").stdout)

    assert "Book: rows of books, for 600 s at most\n" in told.stdout
    assert "no REDIS_URL" in told.stdout
    assert facts["redis"] is None
    assert {one["name"]: one["table"] for one in facts["models"]} == {
        "Book": "books",
        "Ticket": "tickets",
        "Visit": "visits",
    }


def test_it_is_told_whether_redis_answers(
    open_timber: OpenTimber, timber: Any, shared: Server
) -> None:
    open_timber()

    assert "Redis answers\n" in timber("status").stdout
    shared.stop()
    assert "Redis does not answer: " in timber("status").stdout


def test_a_change_past_timber_is_seen_by_a_process_that_runs(
    open_timber: OpenTimber, timber: Any, shared: Server, database_url: str
) -> None:
    running = open_timber(redis_url=shared.url)
    book = running.models.get("Book")
    with running.database.session_scope() as session:
        session.add(book(id="one", title="old"))
    elsewhere = create_engine(database_url)

    def title() -> str:
        row = running.database.get(book, "one")
        assert row is not None
        return str(row.title)

    def change_past_timber(title: str) -> None:
        with elsewhere.begin() as connection:
            connection.execute(text(f"UPDATE books SET title = '{title}'"))

    while not running.cache.statistics().hits:  # a Redis that has just begun keeps nothing yet
        assert title() == "old"
    change_past_timber("new")
    assert title() == "old"

    forgotten = timber("forget", "Book", "--json")
    time.sleep(BOUND_SECONDS)
    seen = title()
    change_past_timber("newer")
    unseen = title()
    cleared = timber("clear", "--json")
    time.sleep(BOUND_SECONDS)
    seen_too = title()
    elsewhere.dispose()

    assert json.loads(forgotten.stdout) == {"forgotten": ["Book"]}
    assert json.loads(cleared.stdout) == {"forgotten": ["Book", "Ticket", "Visit"]}
    assert (seen, unseen, seen_too) == ("new", "new", "newer")


@pytest.mark.parametrize("command", [("forget", "Book"), ("clear",)])
def test_what_no_other_process_would_hear_is_refused(
    open_timber: OpenTimber, timber: Any, command: Any
) -> None:
    open_timber()

    done = timber(*command)

    assert done.exit_code == 2
    assert "without REDIS_URL" in done.stderr


@pytest.mark.parametrize(("model", "said"), [("Shelf", "has no cache"), ("Boek", "Book")])
def test_a_model_that_cannot_be_forgotten_is_named(
    open_timber: OpenTimber, timber: Any, shared: Server, model: str, said: str
) -> None:
    open_timber()

    done = timber("forget", model)

    assert done.exit_code == 2
    assert said in done.stderr
    assert shared.url not in done.output
