"""The tables of a keystore; they lie in a database of their own, apart from the data."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

FORMAT: Final = 1
"""How these tables are laid out; another number is another release's."""

METADATA: Final = MetaData()

STATE: Final = Table(
    "timber_keystore",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
    Column("store_id", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("master_version", Integer, nullable=False),
    # Data keys of an older epoch than this one are to be renewed.
    Column("epoch", Integer, nullable=False),
    # The version of the index key to write with; 0 before there is one.
    Column("index_version", Integer, nullable=False),
    # Seconds since 1970, in UTC, like every `…_at` here.
    Column("made_at", BigInteger, nullable=False),
)
"""One row, which every change of the store locks first."""

MASTERS: Final = Table(
    "timber_keystore_masters",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    # Nothing, wrapped: what shows that a master key is this one.
    Column("proof", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)
"""The master keys under which something is wrapped; the keys themselves are elsewhere."""

SUBJECTS: Final = Table(
    "timber_keystore_subjects",
    METADATA,
    # A keyed hash of the subject, which stays as its tombstone.
    Column("tombstone", LargeBinary, primary_key=True),
    Column("key_id", LargeBinary, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("erased_at", BigInteger),
    Column("destroyed", Integer, nullable=False),
    UniqueConstraint("key_id", name="uq_timber_keystore_subjects_key_id"),
)

KEYS: Final = Table(
    "timber_keystore_keys",
    METADATA,
    Column("kind", String(8), primary_key=True),
    # A key id, the name of a purpose, or nothing.
    Column("name", LargeBinary, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("master_version", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Index("ix_timber_keystore_keys_master_version", "master_version"),
)
"""Every secret, of every kind, so that a new master key has one list to go through."""

WORK: Final = Table(
    "timber_keystore_work",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("progress", Text, nullable=False),
)
"""How far a renewal has come that was begun and is not at its end."""
