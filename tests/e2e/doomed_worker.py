"""A `puppets worker` that kills itself where it passes a failpoint for the n-th time."""

import os
import signal
import sys

from puppet_engine.cli import cli
from puppet_engine.core.failpoints import Failpoint
from timber.common.failpoints import armed


def main() -> None:
    """Live by the name of a failpoint and a number, given as arguments."""
    where, left = Failpoint(sys.argv[1]), int(sys.argv[2])

    def hook(point: str) -> None:
        nonlocal left
        left -= point is where
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    with armed(hook):
        cli(["worker"])


if __name__ == "__main__":
    main()
