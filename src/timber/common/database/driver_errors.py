"""The border where the drivers' errors become Timber's, without the values they quote."""

import sqlite3
from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from timber.common.errors import (
    ConstraintError,
    ContentionError,
    DatabaseError,
    DatabaseUnavailableError,
    DuplicateError,
    InvalidValueError,
    MissingReferenceError,
    MissingValueError,
    SchemaMismatchError,
)

_SQLITE: Final[dict[str, type[DatabaseError]]] = {
    "SQLITE_CONSTRAINT_UNIQUE": DuplicateError,
    "SQLITE_CONSTRAINT_PRIMARYKEY": DuplicateError,
    "SQLITE_CONSTRAINT_ROWID": DuplicateError,
    "SQLITE_CONSTRAINT_FOREIGNKEY": MissingReferenceError,
    "SQLITE_CONSTRAINT_NOTNULL": MissingValueError,
    "SQLITE_CONSTRAINT": ConstraintError,
    "SQLITE_BUSY": ContentionError,
    "SQLITE_LOCKED": ContentionError,
    "SQLITE_MISMATCH": InvalidValueError,
    "SQLITE_TOOBIG": InvalidValueError,
    "SQLITE_CANTOPEN": DatabaseUnavailableError,
    "SQLITE_IOERR": DatabaseUnavailableError,
    "SQLITE_FULL": DatabaseUnavailableError,
    "SQLITE_READONLY": DatabaseUnavailableError,
    "SQLITE_CORRUPT": DatabaseUnavailableError,
    "SQLITE_NOTADB": DatabaseUnavailableError,
    "SQLITE_PERM": DatabaseUnavailableError,
}
"""By the longest beginning of SQLite's name for the error."""

_POSTGRESQL: Final[dict[str, type[DatabaseError]]] = {
    "23505": DuplicateError,
    "23503": MissingReferenceError,
    "23001": MissingReferenceError,
    "23502": MissingValueError,
    "23": ConstraintError,
    "22": InvalidValueError,
    "40": ContentionError,
    "55P03": ContentionError,
    "42P01": SchemaMismatchError,
    "42703": SchemaMismatchError,
    "3F000": SchemaMismatchError,
    "08": DatabaseUnavailableError,
    "28": DatabaseUnavailableError,
    "3D": DatabaseUnavailableError,
    "53": DatabaseUnavailableError,
    "57P": DatabaseUnavailableError,
    "58": DatabaseUnavailableError,
}
"""By the longest beginning of the SQLSTATE."""


def translate_errors(engine: Engine) -> None:
    """Make whatever the engine's driver raises arrive as a `DatabaseError`."""
    event.listen(engine, "handle_error", _translate)


def _translate(context: ExceptionContext) -> DatabaseError | None:
    """Return what to raise instead, caused by the driver's error; None leaves it as it is."""
    original = context.original_exception
    if context.is_pre_ping:
        return None
    if isinstance(original, sqlite3.Error):
        return _from_sqlite(original)
    if type(original).__module__.startswith("psycopg"):
        return _from_postgresql(original)
    if isinstance(original, ValueError | TypeError | OverflowError):
        return _from_python(original)
    return None


def _from_sqlite(error: sqlite3.Error) -> DatabaseError:
    code = getattr(error, "sqlite_errorname", "")
    what = str(error)
    if what.startswith(("no such table", "no such column")) or "has no column" in what:
        return SchemaMismatchError(what, code=code)
    if isinstance(error, sqlite3.InterfaceError | sqlite3.ProgrammingError) and not code:
        # The driver could not bind a value, and may quote it.
        _strip(error, "a value cannot be bound")
        return InvalidValueError("a value cannot be stored in its column")
    return _kind(_SQLITE, code)(what, code=code)


def _from_postgresql(error: BaseException) -> DatabaseError:
    code = getattr(error, "sqlstate", None) or ""
    diagnosis = getattr(error, "diag", None)
    kind = _kind(_POSTGRESQL, code) if code else DatabaseUnavailableError
    parts = {
        name: getattr(diagnosis, f"{name}_name", None)
        for name in ("constraint", "table", "column")
    }
    named = ", ".join(f"{name} {value!r}" for name, value in parts.items() if value)
    reason = type(error).__name__
    # PostgreSQL quotes the row in DETAIL and the value in its message: keep neither.
    what = f"{reason}: {named}" if named else reason
    if kind is SchemaMismatchError and diagnosis is not None:
        what = f"{reason}: {diagnosis.message_primary}"
    _strip(error, what)
    return kind(what, code=code)


def _from_python(error: BaseException) -> DatabaseError:
    # Raised while a value was made ready for the driver, so the text may quote it.
    what = f"a value cannot be stored in its column ({type(error).__name__})"
    _strip(error, what)
    return InvalidValueError(what)


def _kind(kinds: dict[str, type[DatabaseError]], code: str) -> type[DatabaseError]:
    fitting = (start for start in kinds if code.startswith(start))
    return kinds.get(max(fitting, key=len, default=""), DatabaseError)


def _strip(error: BaseException, what: str) -> None:
    """Take the values out of an error that will be shown as the cause of ours."""
    error.args = (what,)
