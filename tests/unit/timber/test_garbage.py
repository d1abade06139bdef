"""When Python looks for cyclic garbage, and when it does not."""

import gc
from collections.abc import Iterator

import pytest

from timber.common.garbage import no_search


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


def test_the_search_is_paused_in_the_block_and_goes_on_after_it() -> None:
    gc.enable()

    with no_search():
        inside = gc.isenabled()

    assert not inside
    assert gc.isenabled()


def test_the_search_goes_on_after_a_block_that_raised() -> None:
    gc.enable()

    with pytest.raises(ValueError, match="broken"), no_search():
        raise ValueError("broken")

    assert gc.isenabled()


def test_whoever_had_switched_the_search_off_finds_it_off() -> None:
    gc.disable()

    with no_search():
        pass

    assert not gc.isenabled()
