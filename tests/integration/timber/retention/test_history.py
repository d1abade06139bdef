"""The history of a session does not outlive it: nothing would say whose it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.retention.conftest import ago, new_timber, settings_of

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Research
    table_name: research
    session_type: research
    columns:
      - {name: id, type: Uuid, primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: state, type: String(20), nullable: false, default: begun}
      - {name: ended_at, type: DateTime}
      - {name: topic, type: Text}
      - {name: config, type: JSON}
      - {name: data, type: JSON}
    states: {initial: begun, transitions: {begun: [done]}, final: [done]}
    retention: {enabled: true, after: 1 days, since: ended_at}
"""


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    settings = settings_of(database_url, tmp_path / "models")
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    with new_timber(FakeKeystore()).opened(settings) as opened:
        user = opened.models.get("User")
        with opened.database.session_scope() as session:
            session.add(user(user_id="ann", email="ann@x", username="ann"))
        yield opened


def begun(timber: Timber, reason: str) -> str:
    """Return a session that has changed its state for a reason."""
    sessions = timber.persistence.sessions
    session_id = sessions.create_session("research", "ann", topic="t")
    sessions.transition_state(session_id, "research", "done", reason=reason)
    return str(session_id)


def reasons(timber: Timber) -> list[str]:
    history = timber.base.metadata.tables["state_transitions"]
    found = select(history.c.reason).where(history.c.reason.is_not(None))
    with timber.database.engine.connect() as connection:
        return sorted(connection.scalars(found))


def test_it_goes_with_sessions_that_are_old_enough(timber: Timber) -> None:
    old, _ = begun(timber, "old"), begun(timber, "new")
    with timber.database.session_scope() as session:
        for row in session.scalars(select(timber.models.get("Research"))):
            row.ended_at = ago(2 if str(row.id) == old else 0)

    timber.retention.run()

    assert reasons(timber) == ["new"]


def test_it_goes_with_a_session_that_somebody_deletes(timber: Timber) -> None:
    gone, _ = begun(timber, "gone"), begun(timber, "there")
    with timber.database.session_scope() as session:
        for row in session.scalars(select(timber.models.get("Research"))):
            if str(row.id) == gone:
                session.delete(row)

    assert reasons(timber) == ["there"]
