"""The tables of the log: apart from those of the models, and unchangeable in passing."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    inspect,
)

from timber.common.audit.definitions import Definition, definition_of, definitions
from timber.common.database.attachments import drop_trigger
from timber.common.modeling.stored_types import UtcDateTime

AUDIT_METADATA: Final = MetaData()
"""Not that of the models: what empties their tables leaves these alone."""

LOG: Final = Table(
    "timber_audit_log",
    AUDIT_METADATA,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("moment", UtcDateTime, nullable=False),
    Column("table_name", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("row_mark", LargeBinary),
    Column("subject_mark", LargeBinary),
    Column("actor_mark", LargeBinary, nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("row_key", Text),
    Column("subject", Text),
    Column("actor", Text),
    Column("actor_subject", Text),
)
Index("ix_timber_audit_log_row", LOG.c.table_name, LOG.c.row_key)
Index("ix_timber_audit_log_subject", LOG.c.subject_mark)
Index("ix_timber_audit_log_moment", LOG.c.moment)

FORGOTTEN: Final = ("row_key", "subject", "actor", "actor_subject")
"""What may become null in an entry, and nothing else may: no hash is over it."""

PENDING: Final = Table(
    "timber_audit_pending",
    AUDIT_METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("row_key", Text),
    Column("link", Text),
    Column("columns", Text),
    Column("transaction", BigInteger),
    Column("writer", Text),
    Column("written_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
    # It fills and empties with every transaction.
    postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "2000"},
)
"""What triggers have noted, until it is chained: names and keys, never a value."""

_GUARD: Final = "timberaudit_guard"
_CHAINED: Final = f"{_GUARD}_chained"
_DIFFERS: Final = " IS DISTINCT FROM "
_REFUSED: Final = "the audit log cannot be changed"


TAKE_LANE: Final = "timberaudit_take_lane"
LANE_TAKEN: Final = "timberaudit.lane"
"""What says to PostgreSQL, until the transaction ends, which lane it took last."""
LANES: Final = 16
"""How many transactions can end at once on PostgreSQL."""
_LOCK: Final = 1_953_064_293
"""The first half of the advisory locks of lanes."""

# In one call, for it is part of every transaction. Each statement of a function sees what was
# committed before it, so the end is read as it is once the lane is taken.
_TAKING: Final = f"""
CREATE OR REPLACE FUNCTION {TAKE_LANE}(start integer)
RETURNS TABLE (lane integer, head bigint, head_hash bytea, isolation text)
LANGUAGE plpgsql VOLATILE AS $timber$
BEGIN
  FOR step IN 0..{LANES - 1} LOOP
    IF pg_try_advisory_xact_lock({_LOCK}, (start + step) % {LANES}) THEN
      lane := (start + step) % {LANES};
      EXIT;
    END IF;
  END LOOP;
  IF lane IS NULL THEN
    lane := start % {LANES};
    PERFORM pg_advisory_xact_lock({_LOCK}, lane);
  END IF;
  PERFORM set_config('{LANE_TAKEN}', lane::text, true);
  isolation := current_setting('transaction_isolation');
  SELECT one.position, one.hash INTO head, head_hash FROM {LOG.name} AS one
    WHERE one.lane = {TAKE_LANE}.lane ORDER BY one.position DESC LIMIT 1;
  RETURN NEXT;
END $timber$
"""


class Guard(NamedTuple):
    """A trigger that refuses what must not be done to a table of the log."""

    table: str
    statements: tuple[str, ...]


def guards(dialect: Dialect) -> dict[str, Guard]:
    """Return the guards by their names, each with what makes it."""
    write = _sqlite_guard if dialect.name == "sqlite" else _postgresql_guard
    events = [
        ("update", LOG, "UPDATE", _kept(" IS NOT " if write is _sqlite_guard else _DIFFERS)),
        ("delete", LOG, "DELETE", None),
        ("noted", PENDING, "UPDATE", None),
    ]
    if dialect.name != "sqlite":
        events += [("truncate", LOG, "TRUNCATE", None), ("emptied", PENDING, "TRUNCATE", None)]
    found = {
        f"{_GUARD}_{name}": Guard(table.name, write(f"{_GUARD}_{name}", table.name, what, when))
        for name, table, what, when in events
    }
    if dialect.name != "sqlite":
        found[_CHAINED] = Guard(PENDING.name, _chained_guard())
    return found


def lacking_guards(connection: Connection) -> Iterator[str]:
    """Yield the names of the guards that are missing, or do something else than they should."""
    there = definitions(connection)
    for name, one in guards(connection.dialect).items():
        wanted = Definition(one.table, definition_of(one.statements, connection.dialect))
        if there.get(name) != wanted:
            yield name


def _kept(differs: str) -> str:
    kept = (f"OLD.{one.name}{differs}NEW.{one.name}" for one in LOG.c if one.name not in FORGOTTEN)
    cleared = (f"(NEW.{name} IS NOT NULL AND OLD.{name}{differs}NEW.{name})" for name in FORGOTTEN)
    return " OR ".join((*kept, *cleared))


def _sqlite_guard(name: str, table: str, event: str, when: str | None) -> tuple[str, ...]:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    )


def _postgresql_guard(name: str, table: str, event: str, when: str | None) -> tuple[str, ...]:
    raised = f"RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = '42501';"
    body = f"IF {when} THEN {raised} END IF; RETURN NEW;" if when else raised
    each = "STATEMENT" if event == "TRUNCATE" else "ROW"
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$timber$ BEGIN {body} END $timber$",
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} "
        f"EXECUTE FUNCTION {name}()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
    )


def _chained_guard() -> tuple[str, ...]:
    """Return what lets notes go only when each is told by an entry at the end of the lane.

    An entry that somebody else puts there has not the hash that only the holder of the keystore
    can make, so whoever looks finds it. On SQLite the numbers of notes have no gaps, so there
    nothing has to be kept from going for it to be missed.
    """
    body = (
        "IF (SELECT count(*) FROM gone) <> (SELECT count(*) FROM gone WHERE gone.sequence IN ("
        "SELECT CAST(CAST(one.details AS json) ->> 'note' AS bigint) FROM ("
        f"SELECT details FROM {LOG.name} WHERE lane = "
        f"CAST(nullif(current_setting('{LANE_TAKEN}', true), '') AS integer) "
        "ORDER BY position DESC LIMIT (SELECT count(*) FROM gone)) AS one)) "
        f"THEN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = '42501'; END IF; RETURN NULL;"
    )
    return (
        f"CREATE OR REPLACE FUNCTION {_CHAINED}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$timber$ BEGIN {body} END $timber$",
        f"CREATE TRIGGER {_CHAINED} AFTER DELETE ON {PENDING.name} REFERENCING OLD TABLE AS gone "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_CHAINED}()",
        f"ALTER TABLE {PENDING.name} ENABLE ALWAYS TRIGGER {_CHAINED}",
    )


def has_log(connection: Connection) -> bool:
    """Tell whether the database has a log."""
    return inspect(connection).has_table(LOG.name)


def complete_log(connection: Connection) -> None:
    """Make the tables of the log, and what guards them, where they are missing."""
    AUDIT_METADATA.create_all(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_TAKING.replace("%", "%%"))
    for name in list(lacking_guards(connection)):
        one = guards(connection.dialect)[name]
        for statement in (*drop_trigger(name, one.table, connection.dialect), *one.statements):
            connection.exec_driver_sql(statement)
