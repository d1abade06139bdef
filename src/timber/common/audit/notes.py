"""What is to be recorded, before it has a place in a chain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from timber.common.audit.actors import Acting
from timber.common.audit.chain import Entry, canonical_text, commitments, key_text, mark
from timber.common.audit.marks import Marks, SubjectMarks

Operation = Literal[
    "insert", "update", "delete", "truncate", "read", "retain", "hold", "release", "migrate"
]


@dataclass(frozen=True, kw_only=True)
class Note:
    """One thing that was done."""

    table: str
    operation: str
    moment: datetime
    acting: Acting
    is_outside: bool = False
    """Whether it was done past Timber."""
    key: list[Any] | None = None
    subject: str | None = None
    columns: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The values of columns when the transaction ended; only commitments of them are kept."""
    number: int | None = None
    """That under which a trigger has noted it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else there is to say; texts and whole numbers, about nobody."""


def entry_of(note: Note, marks: Marks, *, lane: int, position: int, batch: int) -> Entry:
    """Return a note as an entry at a place of a chain."""
    key = None if note.key is None else key_text(note.key)
    subject = note.subject
    about = None if subject is None else marks.of(subject)
    if about is not None and about.secret is None:
        key = subject = None  # erased: nothing may be known of it by now
    actor, actor_mark, erasable = _actor(note.acting, marks)
    details = {
        "actor_subject": erasable,
        "batch": batch,
        "columns": list(note.columns),
        "facts": dict(note.facts),
        "note": note.number,
        "origin": "outside" if note.is_outside else "",
        "reason": note.acting.reason,
        "values": _commitments(note, key, about),
    }
    return Entry(
        lane=lane,
        position=position,
        moment=note.moment,
        table_name=note.table,
        operation=note.operation,
        row_mark=row_mark(about, note.table, key),
        subject_mark=None if about is None else about.mark,
        actor_mark=actor_mark,
        details=canonical_text({name: said for name, said in details.items() if said}),
        row_key=key,
        subject=subject,
        actor=actor,
        actor_subject=None if actor is None else note.acting.subject,
    )


def row_mark(about: SubjectMarks | None, table: str, key: str | None) -> bytes | None:
    """Return the commitment to a row's key; None where none can be made."""
    if about is None or about.secret is None or key is None:
        return None
    return mark(about.secret, "row", table, key)


def _actor(acting: Acting, marks: Marks) -> tuple[str | None, bytes, str | None]:
    if acting.subject is None:
        return acting.actor, marks.of_actor(acting.actor), None
    about = marks.of(acting.subject)
    if about.secret is None:
        return None, about.mark, about.mark.hex()
    return acting.actor, mark(about.secret, "actor", acting.actor), about.mark.hex()


def _commitments(note: Note, key: str | None, about: SubjectMarks | None) -> dict[str, str]:
    if about is None or about.secret is None or key is None or not note.values:
        return {}
    return commitments(about.secret, note.table, key, note.values)
