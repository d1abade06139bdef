"""Conditions of sealed values, found in the words of either database."""

import re
from typing import Any, Final

from sqlalchemy import TextClause

from timber.common.modeling.sealed_tables import HoldsIndex, HoldsSealed
from timber.common.modeling.sealings import noted_in

_NAME: Final = r"""(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>\w+))"""
_SEALED: Final = re.compile(
    rf"""\W*length\({_NAME}\) >= 49\W+AND\W+substr\(.+'(?:\\+x)?5401'.*""", re.DOTALL
)
_INDEX: Final = re.compile(
    rf"""(?:typeof\(.+\) IN \('null', 'blob'\) AND )?\W*length\({_NAME}\) = 17\W*"""
)


def sealed_condition(condition: Any) -> str | None:
    """Return a condition of sealed values as Python of a step; None: it is another one."""
    if isinstance(condition, HoldsSealed | HoldsIndex):
        return _written(type(condition).__name__, condition.column.name)
    if not isinstance(condition, TextClause):
        return None
    for kind, words in (("HoldsSealed", _SEALED), ("HoldsIndex", _INDEX)):
        if found := words.fullmatch(condition.text.strip()):
            quoted = found["quoted"]
            return _written(kind, quoted.replace('""', '"') if quoted else found["plain"])
    return None


def is_note(condition: str) -> bool:
    """Tell whether a condition only notes how its table is sealed."""
    return noted_in(condition) is not None


def _written(kind: str, column: str) -> str:
    return f"{kind}(sa.column({column!r}))"
