"""Whether two defaults that the database gives are one, however each is written."""

import re
from typing import Any, Final

from sqlalchemy import Column, Dialect

_CAST: Final = re.compile(r"::[a-z_ ]+(\([\d, ]+\))?(\[\])*$", re.IGNORECASE)
_CAST_CALL: Final = re.compile(r"CAST\((.+) AS [\w ]+(\([\d, ]+\))?\)", re.IGNORECASE)
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_SAME: Final = {"now()": "current_timestamp", "1": "true", "0": "false"}


def differ(column: Column[Any], reflected: str | None, dialect: Dialect) -> bool:
    """Tell whether a column's default is another one than that of the database."""
    # Without a statement, as SQLAlchemy itself makes one.
    compiler: Any = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
    said: str | None = compiler.get_column_default_string(column)
    if said is None or reflected is None:
        return said is not reflected
    return _normal(said) != _normal(reflected)


def _normal(written: str) -> str:
    text, before = written.strip(), ""
    while text != before:
        before = text
        text = _CAST.sub("", text).strip()
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1].strip()
        if call := _CAST_CALL.fullmatch(text):
            text = call[1].strip()
    if _QUOTED.fullmatch(text):
        return text
    return _SAME.get(text.lower(), text.lower())
