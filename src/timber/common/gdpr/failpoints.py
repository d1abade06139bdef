"""Named places on the way of an erasure, at which a test can end the process.

Nothing in the product arms them: a test does, in the process that it is about to end.
A place that is passed while nothing is armed costs one look at a variable.
"""

import contextlib
from collections.abc import Callable, Generator
from enum import StrEnum
from typing import Final


class Failpoint(StrEnum):
    """Every place at which an erasure can be broken off on purpose."""

    NOTED = "erasure.noted"
    """The erasure is noted; nothing has gone."""
    KEYS_GONE = "erasure.keys_gone"
    """The keys are destroyed; the data does not know."""
    LISTED = "erasure.listed"
    """The rows of one table are on the list."""
    BATCH_READY = "erasure.batch_ready"
    """Some rows are gone; nothing of it is committed."""
    BATCH_GONE = "erasure.batch_gone"
    """Some rows are gone for good; others are not."""
    ROWS_GONE = "erasure.rows_gone"
    """Every row is gone that goes."""
    TEXTS_GONE = "erasure.texts_gone"
    """Texts, words and vectors are gone."""
    CACHES_GONE = "erasure.caches_gone"
    """All caches were told; the database does not know."""
    CERTIFIED = "erasure.certified"
    """The certificate is written; it is not committed."""
    FINISHED = "erasure.finished"
    """It is committed; nobody has been told."""


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
