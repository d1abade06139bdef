"""Timbers over one database whose models are cached, without and with a Redis between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

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


@pytest.fixture
def open_timber(database_url: str, tmp_path: Path) -> Iterator[OpenTimber]:
    """Open Timbers over one database; each has a cache of its own, as another process has."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    with ExitStack() as stack:

        def opened(**settings: Any) -> Timber:
            given = TimberSettings(
                database_url=database_url, model_config_dirs=(folder,), **settings
            )
            return stack.enter_context(Timber().opened(given))

        yield opened


@pytest.fixture
def timber(open_timber: OpenTimber) -> Timber:
    return open_timber()


@pytest.fixture
def book(timber: Timber) -> type[Any]:
    return timber.models.get("Book")
