"""Named places on the durable path, at which a test can end the process.

Nothing in the product arms them: a test does, in the process that it is about to end.
A place that is passed while nothing is armed costs one look at a variable.
"""

import contextlib
from collections.abc import Callable, Generator
from enum import StrEnum
from typing import Final


class Failpoint(StrEnum):
    """Every place at which a process can be ended on purpose."""

    COMMIT_ASKED = "commit.asked"
    """Somebody wants something written; nothing has been."""
    COMMIT_FLUSHED = "commit.flushed"
    """Everything of a group is written, nothing is committed."""
    COMMIT_DURABLE = "commit.durable"
    """A group is committed; nobody has been told."""
    COMMIT_TOLD = "commit.told"
    """Somebody has been told that what he asked for is committed."""
    EFFECT_NOTED = "effect.noted"
    """An attempt is in the journal; the network has heard nothing."""
    EFFECT_DONE = "effect.done"
    """The network has done it; no result is in the journal."""


Hook = Callable[[Failpoint], None]


class _Armed:
    """What is to happen at the places, if anything is."""

    hook: Hook | None = None


_armed: Final = _Armed()


def reach(point: Failpoint) -> None:
    """Pass a place; what is armed may end the process here."""
    if _armed.hook is not None:
        _armed.hook(point)


@contextlib.contextmanager
def armed(hook: Hook) -> Generator[None]:
    """Call `hook` at every place that is passed, from any thread, for the length of a block."""
    before, _armed.hook = _armed.hook, hook
    try:
        yield
    finally:
        _armed.hook = before
