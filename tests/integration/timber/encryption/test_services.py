"""Caches, services and the guide's own example, over models that are encrypted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.encryption.conftest import MODELS, Open, is_stored

from timber.common.modeling.sealed import Ciphertext
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

CACHED = MODELS.replace(
    "    encryption:\n      enabled: true",
    "    caching: {enabled: true}\n    encryption:\n      enabled: true",
)
GUIDE = """
models:
  - name: StockResearchSession
    table_name: stock_research_sessions
    session_type: stock_research
    mixins: [TimestampMixin, SoftDeleteMixin]
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false, index: true}
      - {name: ticker, type: String(10)}
      - {name: state, type: String(50), nullable: false, default: initialized}
      - {name: config, type: JSON}
      - {name: data, type: JSON}
    states:
      initial: initialized
      transitions:
        initialized: [processing, completed, failed]
        processing: [completed, failed]
      final: [completed, failed]
    encryption: {enabled: true, fields: [data]}
    caching: {enabled: true, ttl_seconds: 3600}
"""
MARKER = "canary-4711"


@pytest.fixture
def research(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    """Open the sessions of the guide."""
    folder = tmp_path / "guide"
    folder.mkdir()
    (folder / "models.yaml").write_text(GUIDE, encoding="utf-8")
    settings = TimberSettings(database_url=database_url, model_config_dirs=(folder,))
    with Timber(keystore=FakeKeystore()).opened(settings) as timber:
        user = timber.models.get("User")
        with timber.database.session_scope() as session:
            session.add(user(user_id="ann", username="ann", email="ann@example.org"))
        yield timber


def test_a_cached_row_is_kept_sealed_and_opens(open_sealed: Open) -> None:
    timber = open_sealed(CACHED)
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(id="1", body=MARKER, email=f"{MARKER}@x.org"))

    rows = [timber.database.get(note, "1") for _ in range(3)]
    kept = [entry.value.raw for entry in timber.cache._opened()._entries.values()]

    assert [row.body for row in rows if row] == [MARKER] * 3
    assert len(kept) == 1
    assert MARKER not in repr(kept)


def test_a_cached_query_finds_a_sealed_value_and_its_key_does_not_hold_it(
    open_sealed: Open,
) -> None:
    timber = open_sealed(CACHED)
    note = timber.models.get("Note")
    with timber.database.session_scope() as session:
        session.add(note(id="1", body="words", email=f"{MARKER}@x.org"))
    query = select(note).where(note.email == f"{MARKER}@x.org")

    for _ in range(3):
        with timber.database.session_scope() as session:
            found = session.scalars(query, execution_options={"cached": True}).one()
            assert type(found.__dict__["body"]) is Ciphertext
            assert found.body == "words"

    assert timber.cache._opened().statistics.hits > 0


def test_a_session_of_the_guide_keeps_its_data_sealed(research: Timber) -> None:
    sessions: Any = research.persistence.sessions
    key = sessions.create_session("stock_research", "ann", data={"thesis": MARKER})

    sessions.update_session_data(key, "stock_research", {"more": f"{MARKER} again"})

    data = sessions.get_session(key, "stock_research").data
    assert data == {"thesis": MARKER, "more": f"{MARKER} again"}
    assert sessions.transition_state(key, "stock_research", "processing")
    assert not is_stored(research, MARKER)
