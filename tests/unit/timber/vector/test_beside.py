"""A thread does what another one would do later, and is never waited for while it is busy."""

import contextvars
import threading

import pytest

from timber.common.vector.beside import Beside


def test_what_is_begun_is_done_while_its_caller_does_something_else() -> None:
    beside, is_done, names = Beside(), threading.Event(), list[str]()

    def work() -> None:
        names.append(threading.current_thread().name)
        is_done.set()

    ended = beside.begin(work)

    assert is_done.wait(timeout=30)
    assert ended()
    assert names != [threading.current_thread().name]
    beside.close()


def test_what_it_has_not_come_to_is_never_done_and_its_caller_told_so() -> None:
    beside, may_go_on, begun, done = Beside(), threading.Event(), threading.Event(), list[int]()

    def busy() -> None:
        begun.set()
        may_go_on.wait(timeout=30)

    first = beside.begin(busy)
    assert begun.wait(timeout=30)
    second = beside.begin(lambda: done.append(1))

    assert not second()
    may_go_on.set()
    assert first()
    beside.close()
    assert done == []


def test_what_goes_wrong_in_the_thread_is_raised_to_who_waits() -> None:
    beside, has_failed = Beside(), threading.Event()

    def fail() -> None:
        has_failed.set()
        raise ZeroDivisionError

    ended = beside.begin(fail)
    assert has_failed.wait(timeout=30)

    with pytest.raises(ZeroDivisionError):
        ended()
    beside.close()


def test_what_is_begun_has_the_context_of_its_caller() -> None:
    beside, mine, seen = Beside(), contextvars.ContextVar[str]("mine"), list[str]()
    is_done = threading.Event()
    mine.set("so")

    def work() -> None:
        seen.append(mine.get("not so"))
        is_done.set()

    ended = beside.begin(work)

    assert is_done.wait(timeout=30)
    ended()
    assert seen == ["so"]
    beside.close()


def test_after_its_end_no_thread_is_left_and_it_can_begin_again() -> None:
    beside, before = Beside(), {*threading.enumerate()}
    beside.begin(lambda: None)()
    beside.close()

    assert {*threading.enumerate()} <= before
    is_done = threading.Event()
    ended = beside.begin(is_done.set)
    assert is_done.wait(timeout=30)
    ended()
    beside.close()
