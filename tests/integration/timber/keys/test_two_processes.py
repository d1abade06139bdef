"""What one process does to keys, another learns within the bound."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.forks import Forks
from tests.integration.timber.keys.test_renewals import settings_for

from timber.common.errors import SubjectErasedError
from timber.common.runtime import Timber

ERASER = """
import sys
from pathlib import Path
from timber.common.runtime import Timber
from tests.integration.timber.keys.test_renewals import settings_for

folder, url = sys.argv[1:]
with Timber().opened(settings_for(url, Path(folder))) as timber:
    assert timber.database.get(timber.models.get("User"), "1").email == "one@example.org"
    print(timber.keys.store.erase("users:1").keys)
"""


@pytest.fixture(params=["file", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"sqlite:///{tmp_path}/app.db"
    return str(request.getfixturevalue("postgresql_url"))


def test_an_erasure_in_another_process_is_seen_within_the_bound(
    url: str, tmp_path: Path, forks: Forks
) -> None:
    settings = settings_for(url, tmp_path)
    with Timber().opened(settings) as timber:
        user = timber.models.get("User")
        with timber.database.session_scope() as session:
            rows = [{"id": "1", "email": "one@example.org"}, {"id": "2", "email": "2@x.org"}]
            session.execute(insert(user), rows)
        row: Any = timber.database.get(user, "1")
        assert row.email == "one@example.org"

        erased = forks.run(ERASER, tmp_path, url)
        time.sleep(settings.key_bound_seconds)

        assert erased.stdout.strip() == "1", erased.stderr
        again: Any = timber.database.get(user, "1")
        with pytest.raises(SubjectErasedError):
            _ = again.email
        with (
            pytest.raises(SubjectErasedError),
            timber.database.session_scope() as session,
        ):
            session.add(user(id="1", email="back@example.org"))
        other: Any = timber.database.get(user, "2")
        assert other.email == "2@x.org"
