"""Works through the rules of retention until it kills itself at the n-th place."""

import os
import signal
import sys
from pathlib import Path

from tests.integration.timber.retention.conftest import new_timber, settings_of

from timber.common.failpoints import armed


def main(database_url: str, folder: str, at: int) -> None:
    """Live until then."""
    left = at

    def end(place: str) -> None:
        nonlocal left
        left -= place.startswith("retention.")
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = settings_of(database_url, Path(folder))
    with new_timber().opened(settings) as timber, armed(end):
        timber.retention.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
