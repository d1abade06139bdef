"""Erases a person, and kills itself where it passes a failpoint for the n-th time."""

import os
import signal
import sys
from pathlib import Path

from tests.integration.timber.gdpr.conftest import settings_of

from timber.common.failpoints import armed
from timber.common.runtime import Timber


def main(database_url: str, folder: str, where: str, passage: int) -> None:
    """Live until then."""
    left = passage

    def hook(point: str) -> None:
        nonlocal left
        left -= point == where
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with Timber().opened(settings_of(database_url, Path(folder))) as timber, armed(hook):
        timber.gdpr.erase("ann")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
