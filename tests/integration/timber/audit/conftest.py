"""A Timber whose notes and people are audited, over an empty database of each kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fake_keystore import FakeKeystore

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS = """
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
      - {name: email, type: String(100)}
    audit: {enabled: true, reads: true}
  - name: Folder
    table_name: folders
    columns:
      - {name: id, type: Uuid, primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
  - name: Note
    table_name: notes
    mixins: [SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: folder_id, type: Uuid, foreign_key: folders.id, on_delete: cascade}
      - {name: body, type: Text}
      - {name: price, type: "Numeric(10, 2)"}
      - {name: data, type: JSON}
      - {name: seen, type: Integer}
    gdpr: {enabled: false, user_id_field: folder_id.user_id}
    audit: {enabled: true, fields: [body, price, data]}
  - name: Plain
    table_name: plains
    columns:
      - {name: id, type: Integer, primary_key: true}
"""


def settings_of(database_url: str, folder: Path, **given: Any) -> TimberSettings:
    """Return the settings of a Timber over these models."""
    folder.mkdir(exist_ok=True)
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    said = {
        "database_url": database_url,
        "model_config_dirs": (folder,),
        "packaged_models": False,
        "enable_auto_vector_ingestion": False,
        **given,
    }
    return TimberSettings.model_validate(said)


@pytest.fixture
def keystore() -> FakeKeystore:
    return FakeKeystore()


@pytest.fixture
def timber(database_url: str, tmp_path: Path, keystore: FakeKeystore) -> Iterator[Timber]:
    settings = settings_of(database_url, tmp_path / "models")
    with Timber(keystore=keystore).opened(settings) as opened:
        yield opened


@pytest.fixture
def postgresql_timber(
    postgresql_url: str, tmp_path: Path, keystore: FakeKeystore
) -> Iterator[Timber]:
    settings = settings_of(postgresql_url, tmp_path / "models")
    with Timber(keystore=keystore).opened(settings) as opened:
        yield opened
