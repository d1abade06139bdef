"""A Timber with sessions of two types, on each database, asked by threads and the event loop."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.lent_timbers import empty

from timber.common.persistence.manager import PersistenceManager
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.clock import MORNING, FrozenClock
from timber.testing.postgresql import PostgresqlServer

MODELS = """
association_tables:
  - name: session_tags
    columns:
      - {name: session_id, type: String(36), foreign_key: research_sessions.id, primary_key: true}
      - {name: tag_id, type: Integer, foreign_key: tags.id, primary_key: true}
models:
  - name: Tag
    table_name: tags
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: label, type: String(50)}
  - name: ResearchSession
    table_name: research_sessions
    session_type: research
    mixins: [TimestampMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false, index: true}
      - {name: ticker, type: String(10)}
      - {name: state, type: String(50), nullable: false, default: initialized}
      - {name: config, type: JSON}
      - {name: data, type: JSON}
    relationships:
      - {name: tags, model: Tag, type: many_to_many, secondary: session_tags}
      - {name: owner, model: User, type: many_to_one}
    states:
      initial: initialized
      transitions:
        initialized: [processing, completed, failed]
        processing: [completed, failed]
      final: [completed, failed]
      guards:
        - {to: completed, after: [processing], condition: ticker is not null and data.score >= 0.5}
      expiry: {after_seconds: 3600, to: failed}
  - name: Chat
    table_name: chats
    session_type: chat
    mixins: [OptimisticLockMixin]
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: phase, type: "Enum(open, shut)", default: open}
      - {name: data, type: JSON}
    states:
      column: phase
      initial: open
      transitions: {open: [shut], shut: [open]}
  - name: Note
    table_name: notes
    session_type: note
    columns:
      - {name: id, type: Integer, primary_key: true}
"""

Ask: TypeAlias = Callable[..., Any]
"""Calls a method of a service, and returns its result."""


def open_services(folder: Path, database_url: str, **settings: Any) -> TimberSettings:
    """Write the models into the folder, and return settings over them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    return TimberSettings(
        database_url=database_url, model_config_dirs=(folder,), packaged_models=False, **settings
    )


def add_users(timber: Timber, *names: str) -> None:
    user = timber.models.get("User")
    with timber.database.session_scope() as session:
        session.add_all(
            user(user_id=one, email=f"{one}@example.org", username=one) for one in names
        )


@pytest.fixture(scope="package")
def clock_of_all() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="package", params=["memory", "file", "postgresql"])
def opened(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    clock_of_all: FrozenClock,
) -> Iterator[Timber]:
    """Open a Timber on each kind of database, for all tests of this folder."""
    folder = tmp_path_factory.mktemp("services")
    with contextlib.ExitStack() as stack:
        url = {"memory": "sqlite:///:memory:", "file": f"sqlite:///{folder}/a.db"}.get(
            request.param
        )
        if url is None:
            server: PostgresqlServer = request.getfixturevalue("postgresql_server")
            url = stack.enter_context(server.database())
        timber = Timber(clock=clock_of_all)
        yield stack.enter_context(timber.opened(open_services(folder / "models", url)))


@pytest.fixture
def timber(opened: Timber) -> Timber:
    """Give it with nothing in it but two users."""
    empty(opened)
    add_users(opened, "ada", "bob")
    return opened


@pytest.fixture
def frozen(clock_of_all: FrozenClock) -> FrozenClock:
    clock_of_all.move_to(MORNING)
    return clock_of_all


@pytest.fixture
def manager(timber: Timber) -> PersistenceManager:
    return timber.persistence


@pytest.fixture(params=["thread", "event loop"])
def ask(request: pytest.FixtureRequest, timber: Timber) -> Iterator[Ask]:
    """Give the two ways to call a service, which are one to the tests."""
    if request.param == "thread":
        yield lambda function, *arguments, **options: function(*arguments, **options)
        return
    with asyncio.Runner() as loop:
        yield lambda function, *arguments, **options: loop.run(
            timber.database.call(function, *arguments, **options)
        )
