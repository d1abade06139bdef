"""Named places in what must survive a kill, at which a test can end the process.

Nothing in the product arms them: a test does, in the process that it is about to end.
A place that is passed while nothing is armed costs one look at a variable.
"""

import contextlib
from collections.abc import Callable, Generator
from enum import StrEnum
from typing import Final


class NamedPlace(StrEnum):
    """What all enumerations of places are: so it is known which there are."""


Hook = Callable[[str], None]
"""Is told the name of a place that is passed."""


class _Armed:
    """What is to happen at the places, if anything is."""

    hook: Hook | None = None


_armed: Final = _Armed()


def reach(point: NamedPlace) -> None:
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
