"""Where erasures are noted: beside the tables of models, which tests may empty.

While an erasure is under way, its row and its list know whom and what it is about. When it is
finished, nothing of that stays but a keyed hash and the certificate.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from timber.common.database.schema import alone
from timber.common.errors import SchemaMismatchError
from timber.common.modeling.stored_types import UtcDateTime

OWN: Final = MetaData()
"""The tables of this package."""

erasures: Final = Table(
    "timber_erasures",
    OWN,
    Column("erasure_id", String(36), primary_key=True),
    Column("tombstone", String(128), nullable=False, index=True),
    Column("people", String(63), nullable=False),
    Column("subject_key", Text),
    Column("step", String(20), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("certificate", Text),
)
"""One row for each erasure; `subject_key` is forgotten in its end."""

_unfinished = erasures.c.finished_at.is_(None)
Index(
    "uq_timber_erasures_unfinished",
    erasures.c.tombstone,
    unique=True,
    sqlite_where=_unfinished,
    postgresql_where=_unfinished,
)

listed: Final = Table(
    "timber_erasure_rows",
    OWN,
    Column(
        "number",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("erasure_id", String(36), nullable=False),
    Column("table_name", String(63), nullable=False),
    Column("key", Text, nullable=False),
    Column("fate", String(10), nullable=False),
    UniqueConstraint("erasure_id", "table_name", "key", name="uq_timber_erasure_rows_key"),
    Index("ix_timber_erasure_rows_fate", "erasure_id", "table_name", "fate", "number"),
)
"""The rows that are the person's, until the erasure is finished."""


def make_tables(engine: Engine, *, create: bool) -> None:
    """Create the tables that are missing, or demand that none is.

    Raises:
        SchemaMismatchError: one is missing, and `create` is false.

    """
    with engine.begin() as connection:
        if create:
            alone(connection)
            OWN.create_all(connection)
            return
        missing = [
            one.name
            for one in OWN.sorted_tables
            if not engine.dialect.has_table(connection, one.name)
        ]
    if missing:
        raise SchemaMismatchError(
            f"the tables {', '.join(missing)} are missing, in which erasures are noted: open once "
            "with `create_tables=True`; migrations leave them alone. Else"
        )
