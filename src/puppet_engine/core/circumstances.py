"""What the metadata of a memory say of where it comes from: which conversation, whose, when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

LONGEST: Final = 255
"""How many signs of a conversation's id, or of a name, tell them apart."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """In which conversation something was said, by whom, and when; None: nothing says so."""

    conversation_id: str | None = None
    speaker: str | None = None
    """As names are compared: in lower case, without an @."""
    occurred_at: datetime | None = None
    origin: str | None = None
    """The id of the post it was said in."""

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Self:
        """Return what the keys `conversation_id`, `speaker`, `occurred_at` and `post_id` say.

        Raises:
            ValueError: `occurred_at` is no moment of ISO 8601.

        """
        speaker = _text(metadata.get("speaker"))
        return cls(
            conversation_id=_text(metadata.get("conversation_id")),
            speaker=speaker and folded(speaker),
            occurred_at=moment(metadata.get("occurred_at")),
            origin=_text(metadata.get("post_id")),
        )


def folded(name: str) -> str:
    """Return a name as names are compared."""
    return name.strip().removeprefix("@").casefold()[:LONGEST]


def moment(written: object) -> datetime | None:
    """Return a moment that is written by ISO 8601, in UTC where it names no zone.

    Raises:
        ValueError: it is none.

    """
    if written is None or isinstance(written, datetime):
        found = written
    else:
        try:
            found = datetime.fromisoformat(written) if isinstance(written, str) else None
        except ValueError:
            found = None
        if found is None:
            raise ValueError(
                f"occurred_at is {written!r}: give a moment by ISO 8601, "
                "such as 2026-03-14T09:30:00+00:00"
            )
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _text(value: object) -> str | None:
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).replace("\0", " ")[:LONGEST] or None
