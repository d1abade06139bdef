"""The tables of the log: apart from those of the models, and unchangeable in passing."""

from collections.abc import Iterator
from typing import Final

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

from timber.common.database.attachments import read_catalog
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
)
Index("ix_timber_audit_log_row", LOG.c.table_name, LOG.c.row_key)
Index("ix_timber_audit_log_subject", LOG.c.subject_mark)
Index("ix_timber_audit_log_moment", LOG.c.moment)

FORGOTTEN: Final = ("row_key", "subject", "actor")
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
_REFUSED: Final = "the audit log cannot be changed"


TAKE_LANE: Final = "timberaudit_take_lane"
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
  isolation := current_setting('transaction_isolation');
  SELECT one.position, one.hash INTO head, head_hash FROM {LOG.name} AS one
    WHERE one.lane = {TAKE_LANE}.lane ORDER BY one.position DESC LIMIT 1;
  RETURN NEXT;
END $timber$
"""


def guards(dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Return the triggers that refuse changes of the log, each with what makes it."""
    return dict(_sqlite_guards() if dialect.name == "sqlite" else _postgresql_guards())


def _kept(differs: str) -> str:
    kept = (
        f"OLD.{one.name} {differs} NEW.{one.name}" for one in LOG.c if one.name not in FORGOTTEN
    )
    cleared = (
        f"(NEW.{name} IS NOT NULL AND OLD.{name} {differs} NEW.{name})" for name in FORGOTTEN
    )
    return " OR ".join((*kept, *cleared))


def _sqlite_guards() -> Iterator[tuple[str, tuple[str, ...]]]:
    raised = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    yield (
        f"{_GUARD}_update",
        (
            f"CREATE TRIGGER {_GUARD}_update BEFORE UPDATE ON {LOG.name} "
            f"WHEN {_kept('IS NOT')} {raised}",
        ),
    )
    yield (
        f"{_GUARD}_delete",
        (f"CREATE TRIGGER {_GUARD}_delete BEFORE DELETE ON {LOG.name} {raised}",),
    )


def _postgresql_guards() -> Iterator[tuple[str, tuple[str, ...]]]:
    function = (
        f"CREATE OR REPLACE FUNCTION {_GUARD}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$timber$ BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = '42501'; END $timber$"
    )
    for name, when in (
        ("update", f"BEFORE UPDATE ON {LOG.name} FOR EACH ROW WHEN ({_kept('IS DISTINCT FROM')})"),
        ("delete", f"BEFORE DELETE ON {LOG.name} FOR EACH ROW"),
        ("truncate", f"BEFORE TRUNCATE ON {LOG.name} FOR EACH STATEMENT"),
    ):
        yield (
            f"{_GUARD}_{name}",
            (function, f"CREATE TRIGGER {_GUARD}_{name} {when} EXECUTE FUNCTION {_GUARD}()"),
        )


def has_log(connection: Connection) -> bool:
    """Tell whether the database has a log."""
    return inspect(connection).has_table(LOG.name)


def complete_log(connection: Connection) -> None:
    """Make the tables of the log, and what guards them, where they are missing."""
    AUDIT_METADATA.create_all(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_TAKING.replace("%", "%%"))
    there = read_catalog(connection).names
    for name, statements in guards(connection.dialect).items():
        if name not in there:
            for statement in statements:
                connection.exec_driver_sql(statement)
