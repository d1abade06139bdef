"""Killed at any place, a run leaves nothing half done, and the next one finishes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.forks import Forks
from tests.integration.timber.retention.conftest import ago, new_timber, settings_of
from tests.integration.timber.retention.test_retention import fill, ids

from timber.common.failpoints import armed
from timber.common.retention.failpoints import RetentionFailpoint
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

LETTERS = 1_050
KILLED = tuple(RetentionFailpoint)
"""The places at which a process is killed here."""


class Killed(BaseException):
    """Ends a process, as far as a test can."""


@contextmanager
def dying(at: int) -> Iterator[list[str]]:
    passed: list[str] = []

    def end(place: str) -> None:
        if place.startswith("retention."):
            passed.append(place)
            if len(passed) > at:
                raise Killed

    with armed(end):
        yield passed


def check(timber: Timber) -> None:
    """Demand that the log counts what is gone, batch by batch, and that it is whole."""
    retained = list(timber.audit.log(table="letters", operation="retain"))
    counted = sum(one.facts["rows"] for one in retained if "finished" not in one.facts)
    assert counted == LETTERS - len(ids(timber, "letters"))
    assert len(list(timber.audit.log(table="letters", operation="delete"))) == counted
    assert timber.audit.verify().is_intact


def prepared(timber: Timber) -> None:
    fill(timber, "Case", {"id": 1, "closed_at": ago(60)})
    rows = ({"id": one, "case_id": 1, "sent_at": ago(60)} for one in range(LETTERS))
    fill(timber, "Letter", *rows)


def test_dying_at_any_place_leaves_nothing_half_done(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:///{tmp_path}/letters.db", tmp_path / "models")
    with new_timber().opened(settings) as timber:
        prepared(timber)
        places: set[str] = set()
        for at in range(12):
            passed: list[str] = []
            try:
                with dying(at) as passed:
                    timber.retention.run()
            except Killed:
                check(timber)
            places |= set(passed)
        timber.retention.run()

        assert places == set(KILLED)
        assert (ids(timber, "letters"), ids(timber, "cases")) == ([], [])
        check(timber)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["file", "postgresql"])
def test_a_process_killed_for_real_at_any_place_is_finished_by_the_next(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, forks: Forks
) -> None:
    url = f"sqlite:///{tmp_path}/letters.db"
    if kind == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    folder = tmp_path / "models"
    settings = settings_of(url, folder, keystore=str(tmp_path / "keys"))
    with new_timber().opened(settings) as timber:
        prepared(timber)
    doomed = "tests.integration.timber.retention.doomed"
    keys = {"TIMBER_KEYSTORE": str(tmp_path / "keys")}

    for place in KILLED:  # each comes as far as the one before, at least
        ended = forks.run_module(doomed, url, folder, place, env=keys)

        assert ended.returncode == -9, (place, ended.stderr)
        with new_timber().opened(settings) as timber:
            check(timber)
    with new_timber().opened(settings) as timber:
        assert (ids(timber, "letters"), ids(timber, "cases")) == ([], [])
        timber.retention.run()
        check(timber)
