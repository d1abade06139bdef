"""What triggers do, as the database has it: a name alone proves nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Dialect, text

_FUNCTION: Final = re.compile(r"AS \$timber\$(.*)\$timber\$", re.DOTALL)
_ALWAYS: Final = "A"


@dataclass(frozen=True)
class Definition:
    """A trigger, or a rule, that is there."""

    table: str
    said: str
    """What it does, to be compared with `definition_of`."""


def definition_of(statements: Sequence[str], dialect: Dialect) -> str:
    """Return what the trigger does that these statements make.

    On SQLite there is one. On PostgreSQL there are three: its function with the body between
    `$timber$`, the trigger without a condition, for only such are written there as they were
    here, and that it fires always.
    """
    if dialect.name == "sqlite":
        return statements[0]
    function, trigger, _always = statements
    found = _FUNCTION.search(function)
    body = found[1] if found else ""
    return _on_postgresql(trigger, body, _ALWAYS, is_plain=True)


def definitions(connection: Connection, tables: Sequence[str] = ()) -> Mapping[str, Definition]:
    """Return the triggers of audits by name, and whatever else is fired by these tables."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(
            text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        found = {row.name: Definition(row.tbl_name, row.sql) for row in rows}
    else:
        rows = connection.execute(text(_POSTGRESQL)).all()
        found = {
            row.name: Definition(
                row.tbl_name, _on_postgresql(row.trigger, row.body, row.enabled, row.is_plain)
            )
            for row in rows
        }
    return {
        name: one for name, one in found.items() if name.startswith(PREFIX) or one.table in tables
    }


PREFIX: Final = "timberaudit_"


def _on_postgresql(trigger: str, body: str, enabled: str, is_plain: bool) -> str:
    # The database quotes what it must, and SQLAlchemy what it likes.
    return "\n".join((trigger.replace('"', ""), body, enabled, str(is_plain)))


_POSTGRESQL: Final = """
SELECT tgname AS name, relname AS tbl_name, pg_get_triggerdef(pg_trigger.oid, true) AS trigger,
  prosrc AS body, CAST(tgenabled AS text) AS enabled,
  lanname = 'plpgsql' AND NOT prosecdef AND proconfig IS NULL AS is_plain
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
JOIN pg_language ON pg_language.oid = prolang
WHERE NOT tgisinternal AND relnamespace = to_regnamespace(current_schema())
UNION ALL
SELECT rulename, relname, pg_get_ruledef(pg_rewrite.oid), '', '', false
FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
WHERE rulename <> '_RETURN' AND relnamespace = to_regnamespace(current_schema())
"""
