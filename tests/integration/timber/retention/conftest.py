"""A Timber whose letters are kept for a while, over an empty database of each kind."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fake_keystore import FakeKeystore

from timber.common.encryption.base import Keystore
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
MODELS = """
models:
  - name: Case
    table_name: cases
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: closed_at, type: DateTime}
    retention: {enabled: true, after: 30 days, since: closed_at, action: delete}
  - name: Letter
    table_name: letters
    mixins: [SoftDeleteMixin]
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: case_id, type: Integer, foreign_key: cases.id, on_delete: restrict}
      - {name: sent_at, type: DateTime}
      - {name: body, type: Text}
      - {name: kept, type: Boolean}
    retention: {enabled: true, after: 10 days, since: sent_at, action: delete, legal_hold: kept}
    audit: {enabled: true}
  - name: Page
    table_name: pages
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: letter_id, type: Integer, foreign_key: letters.id, on_delete: cascade}
  - name: Visitor
    table_name: visitors
    mixins: [TimestampMixin]
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: name, type: Text, nullable: false, sensitive: true}
      - {name: email, type: String(50), sensitive: true}
      - {name: came_on, type: Date}
    retention: {enabled: true, after: 10 days, since: came_on, action: anonymise}
"""


class StoppedClock:
    def now(self) -> datetime:
        return NOW


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


def new_timber(keystore: Keystore | None = None) -> Timber:
    """Return a Timber for which it is always noon of one day."""
    return Timber(clock=StoppedClock(), keystore=keystore)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    settings = settings_of(database_url, tmp_path / "models")
    with new_timber(FakeKeystore()).opened(settings) as opened:
        yield opened
