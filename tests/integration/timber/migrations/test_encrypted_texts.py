"""A text that was found in clear becomes encrypted: nothing of it stays, and it is found again."""

from pathlib import Path
from typing import Any

import pytest
from tests.integration.timber.encryption.conftest import stored
from tests.integration.timber.vector import twins
from tests.integration.timber.vector.hashing import Hashing
from tests.sealed_project import SealedProject
from typing_extensions import override

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MARKER = "zanzibar"


class Project(SealedProject):
    """One whose rows nobody reads by themselves."""

    @override
    def settings(self, **changes: Any) -> TimberSettings:
        return super().settings(**{"enable_auto_vector_ingestion": False, **changes})


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    url = None
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    return Project(tmp_path, database_url=url)


def everything(project: Project) -> bytes:
    """Return all that the database and its files hold."""
    with project.opened() as timber:
        held = stored(timber)
        files = project.models.parent.glob("data.db*")
        return (held + b"".join(one.read_bytes() for one in files)).lower()


def found(timber: Timber) -> list[str]:
    timber.vector_ingestion.embedding_service = Hashing()
    timber.vector_search.embedding_service = Hashing()
    return twins.found(timber, f"{MARKER}s", weights={"text": 1})


def test_turning_encryption_on_and_off_again(project: Project) -> None:
    project.say(twins.NOT_YET_DARK)
    with project.opened(create_tables=True) as timber:
        twins.add_people(timber, "ann")
        twins.add(timber, "Dark", id="1", title="Note", body=f"about {MARKER}")
        assert found(timber) == ["1"]
    assert MARKER.encode() in everything(project)

    project.step(twins.ONLY_DARK, allow_data_loss=True)

    assert MARKER.encode() not in everything(project)
    with project.opened() as timber:
        assert twins.pieces(timber) == []
        assert found(timber) == ["1"]
        assert [one.content for one in twins.pieces(timber)] == [""]
    assert MARKER.encode() not in everything(project)

    project.step(twins.NOT_YET_DARK, allow_data_loss=True)

    with project.opened() as timber:
        assert found(timber) == ["1"]
        assert [one.content for one in twins.pieces(timber)] == [f"Note\n\nabout {MARKER}"]
        assert [one.sealed for one in twins.pieces(timber)] == [None]
