"""A Timber over an empty database of each kind, with models that use all of the dialect."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.lent_timbers import Lender

from timber.common.database.session import TimberSession
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer

MODELS = """
models:
  - name: Account
    table_name: accounts
    mixins: [TimestampMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
      - {name: label, type: String(50), unique: true, nullable: false}
      - {name: balance, type: Integer, nullable: false, default: 0}
      - {name: settings, type: JSON}
      - {name: notes, type: JSON, default: {seen: []}}
      - {name: price, type: "Numeric(10, 2)"}
      - {name: ratio, type: Float}
      - {name: big, type: BigInteger}
      - {name: active, type: Boolean, default: true}
      - {name: born, type: Date}
      - {name: seen_at, type: DateTime}
      - {name: photo, type: LargeBinary}
    relationships:
      - {name: owner, model: User, type: many_to_one}
      - {name: entries, model: Entry, type: one_to_many, back_populates: account}
  - name: Entry
    table_name: entries
    mixins: [SoftDeleteMixin]
    columns:
      - {name: sequence, type: BigInteger, primary_key: true}
      - {name: account_id, type: String(36), foreign_key: accounts.id, nullable: false}
      - {name: "text", type: Text}
    relationships:
      - {name: account, model: Account, type: many_to_one, back_populates: entries}
  - name: Page
    table_name: pages
    mixins: [TimestampMixin, OptimisticLockMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: slug, type: String(50), unique: true, index: true}
      - {name: section, type: String(50)}
      - {name: body, type: Text}
    indexes:
      - {name: uq_pages_section_body, columns: [section, body], unique: true}
"""

START = datetime(2030, 1, 1, 12, tzinfo=UTC)


class SteppingClock:
    """A clock that is a second later at each reading."""

    def __init__(self) -> None:
        self.readings = 0

    def now(self) -> datetime:
        self.readings += 1
        return START + timedelta(seconds=self.readings)


@pytest.fixture(scope="package")
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture(scope="package")
def lender(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,
    clock: SteppingClock,
) -> Iterator[Lender]:
    folder = tmp_path_factory.mktemp("lent")
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")

    def open_at(url: str) -> AbstractContextManager[Timber]:
        settings = TimberSettings(
            database_url=url, model_config_dirs=(folder,), packaged_models=False
        )
        return Timber(clock=clock).opened(settings)

    with Lender.open(folder, postgresql_server, open_at) as lender:
        yield lender


@pytest.fixture
def timber(lent_timber: Timber) -> Timber:
    return lent_timber


@pytest.fixture
def account(timber: Timber) -> type[Any]:
    return timber.models.get("Account")


def add(timber: Timber, *rows: object) -> None:
    """Store rows in a transaction of their own."""
    with timber.database.session_scope() as session:
        session.add_all(rows)


def read(timber: Timber, work: Callable[[TimberSession], Any]) -> Any:
    """Return what `work` reads in a transaction of its own."""
    with timber.database.session_scope() as session:
        return work(session)


def undone(timber: Timber, work: Callable[[TimberSession], Any]) -> None:
    """Run `work` in a transaction that fails in its end."""
    with timber.database.session_scope() as session:
        work(session)
        session.flush()
        raise RuntimeError
