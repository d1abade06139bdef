"""Pages of rows, and the cursors that lead from one to the next."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from typing_extensions import override

from timber.common.errors import InvalidRequestError

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Sequence[Row], Generic[Row]):
    """Some rows of many, in order; a sequence of them."""

    rows: tuple[Row, ...]
    next_cursor: str | None
    """Asks for the rows behind these; None when these were the last."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    @override
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self.rows[index]

    @override
    def __len__(self) -> int:
        return len(self.rows)


def page_of(rows: Sequence[Row], limit: int, *, kind: str, place: Any) -> Page[Row]:
    """Return the page of up to `limit` rows; one more than that tells that there are others.

    `place` returns, of a row, the values of its order, which its cursor holds.
    """
    shown = tuple(rows[:limit])
    cursor = encode_cursor(kind, place(shown[-1])) if len(rows) > limit else None
    return Page(shown, cursor)


def encode_cursor(kind: str, place: Sequence[Any]) -> str:
    """Return the cursor of a place in a list of that kind."""
    written = json.dumps([kind, *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str, *types: type[Any]) -> tuple[Any, ...]:
    """Return the place that a cursor stands for: one value of each type.

    Raises:
        InvalidRequestError: it is no cursor of a list of that kind.

    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeError, binascii.Error, ValueError, AttributeError, RecursionError):
        found = None
    if (
        not isinstance(found, list)
        or len(found) != 1 + len(types)
        or found[0] != kind
        or any(type(one) is not kind for one, kind in zip(found[1:], types, strict=True))
    ):
        raise InvalidRequestError(
            "cursor: this is none of this list; give `next_cursor` of a page of it, or None"
        )
    return tuple(found[1:])
