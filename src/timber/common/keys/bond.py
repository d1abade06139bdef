"""Which keystore a database belongs to: the database remembers the id of it."""

from typing import Final, Protocol

from sqlalchemy import (
    Column,
    Engine,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from typing_extensions import override

from timber.common.errors import KeystoreError
from timber.common.keys import epochs

_METADATA: Final = MetaData()
BOND: Final = Table(
    "timber_keys_bond",
    _METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("store_id", LargeBinary, nullable=False),
)
"""One row in the database of the data."""


class Bond(Protocol):
    """What the data knows of its keystore."""

    def read(self) -> bytes | None:
        """Return the id of the keystore with which data was sealed; None if none was yet."""
        ...

    def write(self, store_id: bytes) -> None:
        """Remember the keystore for good.

        Raises:
            KeystoreError: another process has just sealed with another one.

        """
        ...


class DatabaseBond(Bond):
    """A row in the database of the data, outside of its models."""

    def __init__(self, engine: Engine, *, may_create: bool) -> None:
        self._engine = engine
        self._may_create = may_create

    @override
    def read(self) -> bytes | None:
        if not inspect(self._engine).has_table(BOND.name):
            return None
        with self._engine.connect() as connection:
            found = connection.execute(select(BOND.c.store_id)).scalar_one_or_none()
        return None if found is None else bytes(found)

    @override
    def write(self, store_id: bytes) -> None:
        if not self._may_create and not inspect(self._engine).has_table(BOND.name):
            raise KeystoreError(
                f"the database has no table {BOND.name}, in which it remembers its keystore: "
                "`timber keys init` makes it"
            )
        _METADATA.create_all(self._engine)
        maker = sqlite if self._engine.dialect.name == "sqlite" else postgresql
        claim = maker.insert(BOND).values(id=1, store_id=store_id)
        with self._engine.begin() as connection:
            connection.execute(claim.on_conflict_do_nothing())
        found = self.read()
        if found != store_id:
            raise KeystoreError(
                "another process has begun to seal the data of this database with another "
                f"keystore, {(found or b'').hex()}: give all processes the same `keystore`"
            )


def forget_keystore(engine: Engine) -> None:
    """Let a database whose data is gone belong to no keystore any more."""
    _METADATA.drop_all(engine)
    epochs.forget(engine)
