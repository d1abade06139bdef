"""Renewals whose process is killed at every named place, one kill after the other."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.timber.keys.test_renewals import (
    PEOPLE,
    content,
    fill,
    find,
    index_versions,
    settings_for,
    versions,
)

from timber.common.keys.reindexing import IndexFailpoint
from timber.common.keys.resealing import DataFailpoint
from timber.common.keys.retiring import RetireFailpoint
from timber.common.keys.rounds import RoundFailpoint
from timber.common.runtime import Timber

DOOMED = """
import os, signal, sys
from pathlib import Path
from timber.common.failpoints import armed
from timber.common.runtime import Timber
from tests.integration.timber.keys.test_renewals import settings_for

folder, work, *points = sys.argv[1:]
def die(reached):
    if reached in points:
        os.kill(os.getpid(), signal.SIGKILL)
settings = settings_for(f"sqlite:///{folder}/app.db", Path(folder))
with Timber().opened(settings) as timber, armed(die):
    timber.key_renewal._rows_at_once = 8
    getattr(timber.key_renewal, work)()
"""


def run(folder: Path, work: str, point: str) -> None:
    """Do the work in a process that is killed where it passes the point."""
    done = subprocess.run(
        [sys.executable, "-c", DOOMED, str(folder), work, point],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, f"{point} was not passed: {done.stderr}"


def test_a_renewal_of_data_killed_at_every_place_is_finished(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/app.db", tmp_path)
    with Timber().opened(settings) as timber:
        fill(timber)
        before = content(timber)

    for point in (*DataFailpoint, *RoundFailpoint):
        run(tmp_path, "renew_data", point)

    with Timber().opened(settings) as timber:
        assert content(timber) == before
        assert timber.key_renewal.renew_data().finished_another
        assert versions(timber) == versions(timber, "email", "users") == {2}
        assert content(timber) == before
    for point in RetireFailpoint:
        run(tmp_path, "retire", point)
    with Timber().opened(settings) as timber:
        assert timber.key_renewal.retire().kept == 0
        assert timber.key_renewal.status().data_keys == PEOPLE
        assert content(timber) == before


def test_a_renewal_of_indexes_killed_at_every_place_is_finished(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/app.db", tmp_path)
    with Timber().opened(settings) as timber:
        fill(timber)
        before = content(timber)

    for point in (
        IndexFailpoint.NOTED,
        IndexFailpoint.MADE,
        IndexFailpoint.TAKEN,
        *RoundFailpoint,
        IndexFailpoint.REINDEXED,
        IndexFailpoint.DROPPED,
    ):
        run(tmp_path, "renew_indexes", point)
        with Timber().opened(settings) as timber:
            assert find(timber, "p3@example.org") == [3]

    with Timber().opened(settings) as timber:
        assert timber.key_renewal.renew_indexes().finished_another
        assert index_versions(timber) == {2}
        assert content(timber) == before
        assert timber.key_renewal.status().unfinished == ()
