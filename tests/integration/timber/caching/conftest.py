"""Timbers over one database whose models are cached, without and with a Redis between them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.lent_timbers import Lender

from timber.common.caching.statistics import CacheStatistics
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer

MODELS = """
models:
  - name: Shelf
    table_name: shelves
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: label, type: String(50)}
  - name: Book
    table_name: books
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: title, type: String(50)}
      - {name: pages, type: Integer}
      - {name: tags, type: JSON}
      - {name: price, type: "Numeric(10, 2)"}
      - {name: bought_at, type: DateTime}
      - {name: cover, type: LargeBinary}
      - {name: vector, type: JSON}
      - {name: shelf_id, type: String(36), foreign_key: shelves.id, on_delete: cascade}
    relationships:
      - {name: shelf, model: Shelf, type: many_to_one}
    caching: {enabled: true, ttl_seconds: 600}
  - name: Ticket
    table_name: tickets
    mixins: [TimestampMixin, SoftDeleteMixin, OptimisticLockMixin]
    columns:
      - {name: number, type: Integer, primary_key: true}
      - {name: title, type: String(50)}
    caching: {enabled: true}
  - name: Visit
    table_name: visits
    session_type: visit
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: phase, type: String(20), nullable: false, default: open}
      - {name: data, type: JSON}
    states:
      initial: open
      column: phase
      transitions: {open: [shut]}
      final: [shut]
    caching: {enabled: true}
"""

OpenTimber = Callable[..., Timber]


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the models, and return their folder."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    return folder


@pytest.fixture(scope="package")
def lender(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer, models: Path
) -> Iterator[Lender]:
    def open_at(url: str) -> AbstractContextManager[Timber]:
        return Timber().opened(TimberSettings(database_url=url, model_config_dirs=(models,)))

    with Lender.open(tmp_path_factory.mktemp("lent"), postgresql_server, open_at) as lender:
        yield lender


@pytest.fixture
def open_timber(database_url: str, models: Path) -> Iterator[OpenTimber]:
    """Open Timbers over one database; each has a cache of its own, as another process has."""
    with ExitStack() as stack:

        def opened(**settings: Any) -> Timber:
            given = TimberSettings(
                database_url=database_url, model_config_dirs=(models,), **settings
            )
            return stack.enter_context(Timber().opened(given))

        yield opened


@pytest.fixture
def timber(lent_timber: Timber) -> Timber:
    return lent_timber


@pytest.fixture
def done(timber: Timber) -> Callable[[], CacheStatistics]:
    """Give what tells what the cache has done in this test."""
    before = asdict(timber.cache.statistics())

    def since() -> CacheStatistics:
        now = asdict(timber.cache.statistics())
        return CacheStatistics(**{name: number - before[name] for name, number in now.items()})

    return since


@pytest.fixture
def book(timber: Timber) -> type[Any]:
    return timber.models.get("Book")
