"""A Timber whose notes are encrypted, over each kind of database."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import text
from tests.fake_keystore import FakeKeystore
from tests.lent_timbers import Lender

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer

MODELS = """
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
      - {name: username, type: String(50)}
  - name: Note
    table_name: notes
    mixins: [TimestampMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
      - {name: title, type: String(50)}
      - {name: body, type: Text}
      - {name: email, type: String(100), unique: true}
      - {name: data, type: JSON, default: {tags: []}}
    relationships:
      - {name: owner, model: User, type: many_to_one}
    encryption:
      enabled: true
      fields: [body, data, {name: email, searchable: true, normalise: casefold}]
    gdpr: {enabled: true}
  - name: Remark
    table_name: remarks
    columns:
      - {name: id, type: BigInteger, primary_key: true, default: 0}
      - {name: note_id, type: String(36), foreign_key: notes.id}
      - {name: words, type: Text}
    encryption: {enabled: true, fields: [words]}
    gdpr: {enabled: true}
  - name: Place
    table_name: places
    columns:
      - {name: north, type: Integer, primary_key: true}
      - {name: east, type: Integer, primary_key: true}
      - {name: name, type: String(20)}
    encryption: {enabled: true, fields: [name]}
"""

Open = Callable[..., Timber]


@pytest.fixture(scope="package")
def lent_keystore() -> FakeKeystore:
    """Give the keystore of the Timbers that are lent, with the keys of the test before."""
    return FakeKeystore()


@pytest.fixture
def keystore(lent_keystore: FakeKeystore) -> FakeKeystore:
    """Give the keystore of the Timbers that are lent, without keys and without erasures."""
    lent_keystore.forget()
    return lent_keystore


@pytest.fixture(scope="package")
def lender(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,
    lent_keystore: FakeKeystore,
) -> Iterator[Lender]:
    folder = tmp_path_factory.mktemp("lent")
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")

    def open_at(url: str) -> AbstractContextManager[Timber]:
        settings = TimberSettings(
            database_url=url, model_config_dirs=(folder,), packaged_models=False
        )
        return Timber(keystore=lent_keystore).opened(settings)

    with Lender.open(folder, postgresql_server, open_at) as lender:
        yield lender


@pytest.fixture
def open_sealed(database_url: str, tmp_path: Path, keystore: FakeKeystore) -> Iterator[Open]:
    """Return what opens a Timber over the test's database, with the models given."""
    with ExitStack() as stack:

        def opened(models: str = MODELS, **options: Any) -> Timber:
            folder = tmp_path / f"models{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            (folder / "models.yaml").write_text(dedent(models), encoding="utf-8")
            timber = Timber(keystore=options.pop("keystore", keystore))
            settings = TimberSettings(
                database_url=database_url,
                model_config_dirs=(folder,),
                packaged_models=False,
                **options,
            )
            return stack.enter_context(timber.opened(settings))

        yield opened


@pytest.fixture
def timber(lent_timber: Timber, keystore: FakeKeystore) -> Timber:
    """Give a Timber with two people, no notes, and no keys."""
    lent_timber.keys.keyring.refresh()
    user = lent_timber.models.get("User")
    with lent_timber.database.session_scope() as session:
        session.add_all(user(user_id=one, username=one) for one in ("ann", "bob"))
    return lent_timber


@pytest.fixture
def note(timber: Timber) -> type[Any]:
    return timber.models.get("Note")


def stored(timber: Timber) -> bytes:
    """Return all that the database holds: every byte of SQLite, every value of PostgreSQL."""
    engine = timber.database.engine
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            return bytes(driver.serialize())
        tables = [f'SELECT t::text FROM "{name}" t' for name in timber.base.metadata.tables]
        rows = connection.execute(text(" UNION ALL ".join(tables))).scalars()
        return "\n".join(filter(None, rows)).encode()


def is_stored(timber: Timber, marker: str) -> bool:
    """Tell whether the database holds the text, as it is or as hexadecimal digits."""
    found = stored(timber)
    return marker.encode() in found or marker.encode().hex().encode() in found
