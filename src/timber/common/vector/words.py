"""The words of texts, for full text in any script; pure.

Databases find words between blanks and signs, which Chinese and Japanese do not have. Of such
text every two neighbouring characters are taken for a word (bigrams, as search engines do), in
what is stored and in what is searched for. Of other scripts without blanks, such as Thai, only
what stands between signs is a word.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_DENSE: Final = (
    "\u1100-\u11ff"  # Hangul, whose endings stand in one word with what they belong to
    "\u3005-\u3007\u3041-\u3096\u3099-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003fffd"
)
_DENSE_RUN: Final = re.compile(f"[{_DENSE}]+")
_RUN: Final = re.compile(rf"[{_DENSE}]+|[^\W_{_DENSE}]+")
"""Letters and figures side by side; what is no letter, figure or mark divides them."""


@dataclass(frozen=True)
class Word:
    """A word that is looked for, or several that stand side by side."""

    parts: tuple[str, ...]
    is_beginning: bool = False
    """Whether a longer word that begins so is one, too."""


def spaced(text: str) -> str | None:
    """Return a text with blanks between its words; None where it has them anyway."""
    if _DENSE_RUN.search(text) is None:
        return None
    return _DENSE_RUN.sub(lambda run: f" {' '.join(_stored(run.group()))} ", text)


def words(text: str) -> list[Word]:
    """Return what to look for to find a text, each once, in its order.

    What stands together without a blank, such as `ERR-1042`, is looked for as a whole, too.
    """
    found: dict[Word, None] = {}
    for piece in unicodedata.normalize("NFC", text).split():
        runs = runs_of(piece)
        parts = [part for run in runs for part in _asked(run)]
        if len(parts) > 1:
            found[Word(tuple(part.parts[0] for part in parts))] = None
        found.update(dict.fromkeys(parts))
    return list(found)


def share_of(query: str, text: str) -> float:
    """Return of how many of the words of a query a text has the same, from 0 to 1."""
    asked = set(_RUN.findall(_plain(query)))
    if not asked:
        return 0.0
    there = _plain(text)
    found = set(_RUN.findall(there))
    return sum(run in found or (is_dense(run) and run in there) for run in asked) / len(asked)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def runs_of(piece: str) -> list[str]:
    """Return what of a text without blanks stands between signs."""
    return _RUN.findall(piece)


def is_dense(run: str) -> bool:
    """Tell whether a run is of a script without blanks."""
    return _DENSE_RUN.match(run) is not None


def _stored(run: str) -> Iterator[str]:
    """Yield the words of a run: every two characters, and the last alone."""
    yield from pairs_of(run)
    yield run[-1]


def _asked(run: str) -> Iterator[Word]:
    if not is_dense(run):
        yield Word((run,))
    elif len(run) == 1:
        yield Word((run,), is_beginning=True)
    else:
        yield from (Word((pair,)) for pair in pairs_of(run))


def pairs_of(run: str) -> Iterator[str]:
    """Yield every two neighbouring characters."""
    return (run[place : place + 2] for place in range(len(run) - 1))
