"""A thread does a part of what another one waits for, and is never waited for."""

import threading
from collections import deque

import pytest

from timber.common.vector.beside import Beside


class Parts:
    """Work in parts, each done by whoever comes first."""

    def __init__(self, count: int) -> None:
        self.left = deque(range(count))
        self.done: list[tuple[str, int]] = []

    def work(self) -> None:
        while self.left:
            try:
                part = self.left.popleft()
            except IndexError:
                return
            self.done.append((threading.current_thread().name, part))


def test_all_is_done_once_when_it_is_ended() -> None:
    beside, parts = Beside(), Parts(1_000)

    beside.begin(parts.work)()

    assert sorted(part for _, part in parts.done) == list(range(1_000))
    beside.close()


def test_the_thread_works_while_its_caller_does_something_else() -> None:
    beside, is_done = Beside(), threading.Event()

    end = beside.begin(is_done.set)

    assert is_done.wait(timeout=30)
    end()
    beside.close()


def test_who_waits_does_all_of_it_where_the_thread_is_busy() -> None:
    beside, may_go_on, parts = Beside(), threading.Event(), Parts(5)
    begun = threading.Event()

    def busy() -> None:
        begun.set()
        may_go_on.wait(timeout=30)

    first = beside.begin(busy)
    assert begun.wait(timeout=30)
    beside.begin(parts.work)()

    assert {name for name, _ in parts.done} == {threading.current_thread().name}
    may_go_on.set()
    first()
    beside.close()


def test_what_goes_wrong_in_the_thread_is_raised_to_who_waits() -> None:
    beside, has_failed = Beside(), threading.Event()
    name = threading.current_thread().name

    def fail_there() -> None:
        if threading.current_thread().name != name:
            has_failed.set()
            raise ZeroDivisionError

    end = beside.begin(fail_there)
    assert has_failed.wait(timeout=30)

    with pytest.raises(ZeroDivisionError):
        end()
    beside.close()


def test_after_its_end_no_thread_is_left_and_it_can_begin_again() -> None:
    beside, parts = Beside(), Parts(3)
    beside.begin(parts.work)()
    beside.close()

    assert not [one for one in threading.enumerate() if one.name.startswith("timber-beside")]
    more = Parts(3)
    beside.begin(more.work)()
    assert len(more.done) == 3
    beside.close()
