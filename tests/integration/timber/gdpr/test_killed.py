"""Killed anywhere, an erasure is finished by whoever opens the database next, and rightly."""

from pathlib import Path

import pytest
from tests.forks import Forks
from tests.integration.timber.gdpr.conftest import naming, plant, settings_of, stored
from tests.integration.timber.vector.hashing import Hashing

from timber.common.failpoints import armed
from timber.common.gdpr.failpoints import Failpoint
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

KILLED = tuple(Failpoint)
"""The places at which a process is killed here."""
DELETED = {
    "users": 1,
    "notes": 3,
    "lines": 3,
    "note_tags": 3,
    "research": 1,
    "visits": 1,
    "notifications": 1,
    "notification_counters": 1,
    "tracked_events": 1,
    "idempotency_keys": 1,
}


class Killed(BaseException):
    """Ends a process, as far as a test can."""


def planted(timber: Timber) -> None:
    """Plant two persons; what is ann's cannot all go, for an invoice is retained."""
    timber.vector_ingestion.embedding_service = Hashing()
    plant(timber, "ann", "bob")


def check(timber: Timber) -> None:
    """Demand that ann is gone, whole and counted once."""
    assert naming(stored(timber), "ann") == {}
    [status] = timber.gdpr.status()
    assert status.certificate is not None
    tables = status.certificate.tables
    assert {name: one["deleted"] for name, one in tables.items() if "deleted" in one} == DELETED
    assert tables["orders"] == {"anonymised": 1, "unlinked": 1}
    assert status.certificate.facts["texts"] == 4
    assert naming(stored(timber), "bob")["notes"] == 3


@pytest.mark.parametrize("point", KILLED)
def test_a_process_killed_at_a_failpoint_is_finished_by_the_next_opening(
    point: Failpoint, tmp_path: Path, forks: Forks
) -> None:
    url = f"sqlite:///{tmp_path}/data.db"
    with Timber().opened(settings_of(url, tmp_path)) as timber:
        planted(timber)
    doomed = "tests.integration.timber.gdpr.doomed"

    ended = forks.run_module(doomed, url, tmp_path, point.value, 0)

    assert ended.returncode == -9, ended.stderr
    with Timber().opened(settings_of(url, tmp_path)) as timber:
        check(timber)


@pytest.mark.parametrize("file_or_server", ["memory", "postgresql"])
def test_broken_off_at_any_passage_of_any_failpoint_it_goes_on(
    file_or_server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """In one process, so that there is time for every passage: an exception is no kill."""
    url = "sqlite:///:memory:"
    if file_or_server == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    with Timber().opened(settings_of(url, tmp_path)) as timber:
        planted(timber)
        died = 0

        while True:
            passed = 0

            def hook(_point: str, at: int = died) -> None:
                nonlocal passed
                passed += 1
                if passed > at:
                    raise Killed

            try:
                with armed(hook):
                    timber.gdpr.erase("ann")
                break
            except Killed:
                died += 1

        assert died > 5  # each time it came further than before
        check(timber)


def test_the_last_step_killed_before_anybody_is_told_is_done(tmp_path: Path) -> None:
    with Timber().opened(settings_of("sqlite:///:memory:", tmp_path)) as timber:
        planted(timber)

        def hook(point: str) -> None:
            if point == Failpoint.FINISHED:
                raise Killed

        with pytest.raises(Killed), armed(hook):
            timber.gdpr.erase("ann")

        check(timber)
        assert timber.gdpr.erase("ann") == timber.gdpr.status()[0].certificate


def test_two_at_the_same_erasure_count_nothing_twice(tmp_path: Path) -> None:
    with Timber().opened(settings_of(f"sqlite:///{tmp_path}/data.db", tmp_path)) as timber:
        planted(timber)
        again = {"left": 1}

        def hook(point: str) -> None:
            if point == Failpoint.BATCH_GONE and again["left"]:
                again["left"] = 0
                timber.gdpr.erase("ann")

        with armed(hook):
            timber.gdpr.erase("ann")

        check(timber)


def test_what_was_broken_off_does_not_export(tmp_path: Path) -> None:
    with Timber().opened(settings_of("sqlite:///:memory:", tmp_path)) as timber:
        planted(timber)

        def hook(point: str) -> None:
            if point == Failpoint.KEYS_GONE:
                raise Killed

        with pytest.raises(Killed), armed(hook):
            timber.gdpr.erase("ann")

        with pytest.raises(Exception, match="being erased"):
            timber.gdpr.export("ann")
        [status] = timber.gdpr.status()
        assert (status.step, status.finished_at, status.certificate) == ("keys", None, None)
        assert timber.gdpr.replay().resumed == 1
        check(timber)
