"""A Timber whose notes are found by their meaning, over an empty database of each kind."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.contracts.vector_shelf import Shelf
from tests.integration.timber.vector.hashing import Hashing
from tests.lent_timbers import Lender, empty

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings
from timber.testing.postgresql import PostgresqlServer

NOTES = """
models:
  - name: Note
    table_name: notes
    mixins: [SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: title, type: String(100)}
      - {name: body, type: Text}
      - {name: topic, type: String(20)}
      - {name: owner_id, type: String(36)}
      - {name: weight, type: Float}
      - {name: noticed, type: Integer}
    vector_search:
      enabled: true
      content_field: [title, body]
      metadata_fields: [topic]
      owner_field: owner_id
      importance_field: weight
"""


def settings_of(database_url: str, folder: Path, **given: object) -> TimberSettings:
    """Return the settings of a Timber over the notes, which nothing reads by itself."""
    folder.mkdir(exist_ok=True)
    (folder / "models.yaml").write_text(NOTES, encoding="utf-8")
    said = {
        "database_url": database_url,
        "model_config_dirs": (folder,),
        "packaged_models": False,
        "enable_auto_vector_ingestion": False,
        **given,
    }
    return TimberSettings.model_validate(said)


@pytest.fixture(scope="package")
def lender(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer
) -> Iterator[Lender]:
    folder = tmp_path_factory.mktemp("lent")

    def open_at(url: str) -> AbstractContextManager[Timber]:
        return Timber().opened(settings_of(url, folder / "models"))

    with Lender.open(folder, postgresql_server, open_at) as lender:
        yield lender


@pytest.fixture
def timber(lent_timber: Timber, monkeypatch: pytest.MonkeyPatch) -> Timber:
    for one in (lent_timber.vector_ingestion, lent_timber.vector_search):
        monkeypatch.setattr(one, "embedding_service", one.embedding_service)  # to come back
    lent_timber.vector_ingestion.embedding_service = Hashing()
    return lent_timber


@pytest.fixture
def embedder(timber: Timber) -> Hashing:
    """Return the embedder of the Timber."""
    found = timber.vector_ingestion.embedding_service
    assert isinstance(found, Hashing)
    return found


@pytest.fixture(scope="module")
def on_postgresql(postgresql_module_url: str) -> Iterator[Timber]:
    with Timber().opened(TimberSettings(database_url=postgresql_module_url)) as timber:
        yield timber


@pytest.fixture
def postgresql_shelf(on_postgresql: Timber) -> Shelf:
    """Give an empty database of texts and vectors on PostgreSQL."""
    empty(on_postgresql)
    return Shelf(on_postgresql)
