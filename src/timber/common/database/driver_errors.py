"""The border where the drivers' errors become Timber's, without the values they quote."""

import contextlib
import re
import sqlite3
import struct
from collections.abc import Generator
from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from timber.common.errors import (
    AccessDeniedError,
    ConstraintError,
    ContentionError,
    DatabaseError,
    DatabaseUnavailableError,
    DuplicateError,
    InvalidValueError,
    MissingReferenceError,
    MissingValueError,
    SchemaMismatchError,
    SerializationError,
    StatementTimeoutError,
    TimberError,
)

_SQLITE: Final[dict[str, type[DatabaseError]]] = {
    "SQLITE_CONSTRAINT_UNIQUE": DuplicateError,
    "SQLITE_CONSTRAINT_PRIMARYKEY": DuplicateError,
    "SQLITE_CONSTRAINT_ROWID": DuplicateError,
    "SQLITE_CONSTRAINT_FOREIGNKEY": MissingReferenceError,
    "SQLITE_CONSTRAINT_NOTNULL": MissingValueError,
    "SQLITE_CONSTRAINT_DATATYPE": InvalidValueError,
    "SQLITE_CONSTRAINT": ConstraintError,
    "SQLITE_BUSY_SNAPSHOT": SerializationError,
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
    "SQLITE_AUTH": AccessDeniedError,
    "SQLITE_INTERRUPT": StatementTimeoutError,
}
"""By the longest beginning of SQLite's name for the error."""

_POSTGRESQL: Final[dict[str, type[DatabaseError]]] = {
    "23505": DuplicateError,
    "23503": MissingReferenceError,
    "23001": MissingReferenceError,
    "23502": MissingValueError,
    "23": ConstraintError,
    "22": InvalidValueError,
    "42804": InvalidValueError,
    "54": InvalidValueError,
    "40": SerializationError,
    "55P03": ContentionError,
    "57014": StatementTimeoutError,
    "42501": AccessDeniedError,
    "42P01": SchemaMismatchError,
    "42703": SchemaMismatchError,
    "3F000": SchemaMismatchError,
    "08": DatabaseUnavailableError,
    "25006": DatabaseUnavailableError,
    "28": DatabaseUnavailableError,
    "3D": DatabaseUnavailableError,
    "53": DatabaseUnavailableError,
    "57P": DatabaseUnavailableError,
    "58": DatabaseUnavailableError,
}
"""By the longest beginning of the SQLSTATE."""


_NOT_FOR_A_COLUMN: Final = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    struct.error,
)
"""What Python raises while a value is made ready for a driver."""

_QUOTED_SQL: Final = re.compile(r"""^(?:near|unrecognized token:) .*""", re.DOTALL)


def translate_errors(engine: Engine) -> None:
    """Make whatever the engine's driver raises arrive as a `DatabaseError`."""
    event.listen(engine, "handle_error", _translate)


@contextlib.contextmanager
def translated() -> Generator[None]:
    """Do the same for a block that uses the driver behind SQLAlchemy's back."""
    try:
        yield
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        raise known from error


def _translate(context: ExceptionContext) -> TimberError | None:
    """Return what to raise instead, caused by the driver's error; None leaves it as it is."""
    if context.is_pre_ping:
        return None
    error, connecting = context.original_exception, context.connection is None
    if isinstance(error, TimberError):
        return _again(error)
    known = _known(error, connecting=connecting)
    if type(known) is DatabaseUnavailableError and context.engine is not None:
        known = DatabaseUnavailableError(
            f"{_place(context.engine)}: {known.what}", code=known.code
        )
    return known


def _again(error: TimberError) -> TimberError:
    """Return the same error: nothing can be raised as caused by itself."""
    kind = type(error)
    again = kind.__new__(kind)
    again.args = error.args
    again.__dict__.update(error.__dict__)
    return again


def _place(engine: Engine) -> str:
    """Return where the database is: its file, or host and port; never a user or a password."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        return f"the database {url.database}"
    given = url.host or url.query.get("host") or "localhost"
    hosts = given if isinstance(given, str) else ", ".join(given)
    return f"PostgreSQL at {hosts}, port {url.port or url.query.get('port') or 5432}"


def _known(error: BaseException, *, connecting: bool = False) -> DatabaseError | None:
    if isinstance(error, DatabaseError):
        return None
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error)
    if type(error).__module__.startswith("psycopg"):
        return _refused_connection(error) if connecting else _from_postgresql(error)
    if isinstance(error, _NOT_FOR_A_COLUMN):
        return _from_python(error)
    return None


def _from_sqlite(error: sqlite3.Error) -> DatabaseError:
    code = getattr(error, "sqlite_errorname", "")
    what = str(error)
    if what.startswith(("no such table", "no such column")) or "has no column" in what:
        return SchemaMismatchError(what, code=code)
    if not code:
        # Python's own: about a value it could not bind, which it may quote, or about its use.
        is_value = "bind" in what or isinstance(error, sqlite3.DataError)
        what = "a value cannot be stored in its column" if is_value else type(error).__name__
        _strip(error, what)
        return InvalidValueError(what) if is_value else DatabaseError(what)
    if _QUOTED_SQL.match(what):
        # The statement in which somebody may have written a value out.
        what = "the SQL cannot be understood"
        _strip(error, what)
    return _kind(_SQLITE, code)(what, code=code)


def _refused_connection(error: BaseException) -> DatabaseError:
    # Host, port, user and the system's reason, or an option that is none; never the password.
    code = getattr(error, "sqlstate", None) or ""
    return DatabaseUnavailableError(_in_one_line(error), code=code)


def _from_postgresql(error: BaseException) -> DatabaseError:
    code = getattr(error, "sqlstate", None) or ""
    diagnosis = getattr(error, "diag", None)
    reason = type(error).__name__
    if not code:
        return _without_code(error, reason)
    kind = _kind(_POSTGRESQL, code)
    parts = {
        name: getattr(diagnosis, f"{name}_name", None)
        for name in ("constraint", "table", "column")
    }
    named = ", ".join(f"{name} {value!r}" for name, value in parts.items() if value)
    # PostgreSQL quotes the row in DETAIL and the value in its message: keep neither.
    what = f"{reason}: {named}" if named else reason
    if kind in {SchemaMismatchError, DatabaseUnavailableError} and diagnosis is not None:
        # It is about tables, or about the server, and quotes no value.
        what = f"{reason}: {diagnosis.message_primary}"
    _strip(error, what)
    return kind(what, code=code)


def _without_code(error: BaseException, reason: str) -> DatabaseError:
    """Return what psycopg itself says: a lost connection, or a value it refuses."""
    if reason == "OperationalError":
        return DatabaseUnavailableError(f"the connection was lost: {_in_one_line(error)}")
    _strip(error, reason)
    if reason in {"DataError", "ProgrammingError", "NotSupportedError"}:
        return InvalidValueError(f"a value cannot be stored in its column ({reason})")
    return DatabaseUnavailableError(reason)


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


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
    # What it came from may quote them as well.
    error.__cause__ = error.__context__ = None
