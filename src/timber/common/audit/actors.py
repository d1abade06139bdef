"""Who acts, and why: said once around a transaction, and found in all that it records."""

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Acting:
    """Who acts."""

    actor: str
    reason: str | None = None
    subject: str | None = None
    """The subject that the actor is, where it is a person about whom rows are kept."""


_acting: Final[ContextVar[Acting | None]] = ContextVar("acting", default=None)


@contextlib.contextmanager
def acting(
    actor: str, *, reason: str | None = None, subject: str | None = None
) -> Generator[None]:
    """Say who does what is written and read in the block, in this thread or task.

    What counts is who acts when a statement is sent; a session sends much when it commits, so put
    the block around the whole transaction. `subject`, such as `subject_of("users", key)`, says
    that the actor can be erased: then the log forgets the name with the subject's keys.
    A `reason` is kept for ever, so it should name a ticket, not a person.

    Raises:
        ValueError: `actor` is empty.

    """
    if not actor:
        raise ValueError("acting: say who acts, for example by a staff number")
    token = _acting.set(Acting(actor, reason, subject))
    try:
        yield
    finally:
        _acting.reset(token)


def who_acts() -> Acting | None:
    """Return who was said to act; None if nobody has said."""
    return _acting.get()
