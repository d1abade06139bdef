"""The way from a file's bytes to text, with located errors."""

import re
from bisect import bisect_right
from typing import Final

from timber.common.documents.document import Mark
from timber.common.errors import DocumentError

MAX_BYTES: Final = 10_000_000
"""Files over this size are refused: nobody writes them by hand."""


class Lines:
    """Finds line and column of a position in a text."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def mark(self, position: int) -> Mark:
        line = bisect_right(self._starts, position)
        return Mark(line, position - self._starts[line - 1] + 1)


def decode(content: bytes, *, source: str) -> str:
    """Return the text of a file.

    Raises:
        DocumentError: it is too large, or not UTF-8.

    """
    if len(content) > MAX_BYTES:
        raise DocumentError(
            [f"{source}:1:1: the file has {len(content)} bytes; {MAX_BYTES} are allowed"]
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = Lines(before).mark(len(before))
        raise DocumentError([f"{source}:{line}:{column}: not UTF-8; save it as UTF-8"]) from None
    return text
