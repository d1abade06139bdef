"""Python's search for cyclic garbage, paused while there is none to find."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_search() -> Generator[None]:
    """Pause the search for the length of a block that makes many objects and drops few.

    Without this, a third of the time in which models are mapped goes into looking again and
    again through what has just been made. It is paused for the whole process, for there is
    only one; whoever had switched it off finds it off.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
