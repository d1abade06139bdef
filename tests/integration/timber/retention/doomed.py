"""Works through the rules of retention until it kills itself at a place."""

import os
import signal
import sys
from pathlib import Path

from tests.integration.timber.retention.conftest import new_timber, settings_of

from timber.common.failpoints import armed


def main(database_url: str, folder: str, where: str) -> None:
    """Live until then."""

    def end(place: str) -> None:
        if place == where:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = settings_of(database_url, Path(folder))
    with new_timber().opened(settings) as timber, armed(end):
        timber.retention.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
