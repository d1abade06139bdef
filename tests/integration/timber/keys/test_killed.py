"""Renewals whose process is killed at every named place, one kill after the other."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.timber.keys.test_renewals import (
    PEOPLE,
    content,
    fill,
    find,
    index_versions,
    settings_for,
    versions,
)

from timber.common.keys.epochs import EpochFailpoint
from timber.common.keys.reindexing import IndexFailpoint
from timber.common.keys.resealing import DataFailpoint
from timber.common.keys.retiring import RetireFailpoint
from timber.common.keys.rounds import RoundFailpoint
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

DATA = (*DataFailpoint, *RoundFailpoint)
RETIRING = (*EpochFailpoint, *RetireFailpoint)
_BEFORE_ROUNDS, _AFTER_ROUNDS = list(IndexFailpoint)[:3], list(IndexFailpoint)[3:]
INDEXES = (*_BEFORE_ROUNDS, *EpochFailpoint, *RoundFailpoint, *_AFTER_ROUNDS)
KILLED = (*DATA, *RETIRING, *INDEXES)
"""The places at which a process is killed here."""

DOOMED = """
import os, signal, sys
from pathlib import Path
from timber.common.failpoints import armed
from timber.common.runtime import Timber
from tests.integration.timber.keys.test_renewals import settings_for

def do(folder, url, work, point):
    def die(reached):
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)
    with Timber().opened(settings_for(url, Path(folder))) as timber, armed(die):
        timber.key_renewal._rows_at_once = 8
        getattr(timber.key_renewal, work)()

# A process for each line, which has imported everything already.
for line in sys.stdin:
    child = os.fork()
    if not child:
        do(*sys.argv[1:], *line.split())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

Kill = Callable[[str, str], None]
"""Does the work in a process that is killed where it passes the point."""


@pytest.fixture(params=["file", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> TimberSettings:
    if request.param == "file":
        return settings_for(f"sqlite:///{tmp_path}/app.db", tmp_path)
    return settings_for(str(request.getfixturevalue("postgresql_url")), tmp_path)


@pytest.fixture
def kill(settings: TimberSettings, tmp_path: Path) -> Iterator[Kill]:
    command = [sys.executable, "-c", DOOMED, str(tmp_path), settings.database_url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        answers = process.stdout

        def killed(work: str, point: str) -> None:
            print(work, point, file=process.stdin, flush=True)
            ended = int(answers.readline())
            assert ended == -signal.SIGKILL, f"{point} was not passed"

        yield killed
        process.stdin.close()


@pytest.mark.timeout(240)
def test_a_renewal_of_data_killed_at_every_place_is_finished(
    settings: TimberSettings, kill: Kill
) -> None:
    with Timber().opened(settings) as timber:
        fill(timber)
        before = content(timber)

    for point in DATA:
        kill("renew_data", point)

    with Timber().opened(settings) as timber:
        assert content(timber) == before
        assert timber.key_renewal.renew_data().finished_another
        assert versions(timber) == versions(timber, "email", "users") == {2}
        assert content(timber) == before
    for point in RETIRING:
        kill("retire", point)
    with Timber().opened(settings) as timber:
        assert timber.key_renewal.retire().kept == 0
        assert timber.key_renewal.status().data_keys == PEOPLE
        assert content(timber) == before


@pytest.mark.timeout(240)
def test_a_renewal_of_indexes_killed_at_every_place_is_finished(
    settings: TimberSettings, kill: Kill
) -> None:
    with Timber().opened(settings) as timber:
        fill(timber)
        before = content(timber)

    assert _BEFORE_ROUNDS[-1] == IndexFailpoint.TAKEN
    for point in INDEXES:
        kill("renew_indexes", point)
        with Timber().opened(settings) as timber:
            assert find(timber, "p3@example.org") == [3]

    with Timber().opened(settings) as timber:
        assert timber.key_renewal.renew_indexes().finished_another
        assert index_versions(timber) == {2}
        assert content(timber) == before
        assert timber.key_renewal.status().unfinished == ()
