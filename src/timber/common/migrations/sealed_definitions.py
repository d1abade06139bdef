"""Tables with sealed columns as a step says them, apart from any model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table
from sqlalchemy.types import TypeEngine

from timber.common.encryption.keyring import Keyring
from timber.common.encryption.sealing import Sealer
from timber.common.errors import MigrationError
from timber.common.modeling.column_types import parse_type
from timber.common.modeling.sealed import SealedColumn
from timber.common.modeling.sealed_tables import SEALED, Hop, SealedTable
from timber.common.modeling.sealings import NamedColumn, Sealing

KEYS_OPTION = "timber_keys"
"""The option of a connection that holds what gives the keys, when they are needed."""


@dataclass(frozen=True)
class KnownTable:
    """A table as its values are, or are to be, sealed."""

    sealing: Sealing
    sealed: SealedTable
    sealer: Sealer


def known_table(sealing: Sealing, keyring: Keyring) -> KnownTable:
    """Return what seals and opens the values of a table that is sealed so."""
    sealer = Sealer(keyring=keyring)
    sealed = SealedTable(
        name=sealing.table,
        columns={
            name: SealedColumn(
                table=sealing.table,
                name=name,
                plain=built(one.type),
                blinds=sealer,
                index=one.index,
                normalise=one.normalise,
            )
            for name, one in sealing.fields.items()
        },
        link=sealing.link.name if sealing.link else None,
        hops=tuple(Hop(one.table, one.key.name, one.column.name) for one in sealing.way),
        is_people=sealing.is_people,
        people=sealing.people,
        sealing=sealing,
        seals=sealer,
    )
    metadata = MetaData()
    columns = {
        one.name: Column(one.name, built(one.type), primary_key=True) for one in sealing.key
    }
    if sealing.link:
        columns.setdefault(sealing.link.name, _column(sealing.link))
    hidden = [*sealing.fields, *(one.index for one in sealing.fields.values() if one.index)]
    columns |= {name: Column(name, LargeBinary) for name in hidden}
    table = Table(sealing.table, metadata, *columns.values(), info={SEALED: sealed})
    for way in sealing.way:
        if way.table in metadata.tables:
            for one in (way.key, way.column):
                if one.name not in metadata.tables[way.table].c:
                    metadata.tables[way.table].append_column(_column(one))
        else:
            ends = {one.name: _column(one) for one in (way.key, way.column)}
            Table(way.table, metadata, *ends.values())
    sealer.know([table])
    return KnownTable(sealing, sealed, sealer)


def keys_of(connection: Connection) -> Keyring:
    """Return the keys by which a step seals and opens.

    Raises:
        MigrationError: nobody gave any.
        KeystoreError: they cannot be opened.

    """
    give = connection.get_execution_options().get(KEYS_OPTION)
    if give is None:
        raise MigrationError("this step seals or opens values: run it with the keys at hand")
    keyring: Keyring = give()
    return keyring


def built(written: str) -> TypeEngine[Any]:
    """Return the type that is written as in a model file."""
    return parse_type(written).build()


def _column(named: NamedColumn) -> Column[Any]:
    return Column(named.name, built(named.type))


@dataclass(frozen=True)
class Part:
    """Columns that a step opens or seals, as it says them."""

    sealing: Sealing
    at: Mapping[str, str]
    """By a sealed column's name to which its values are bound: what it is called now."""

    @property
    def by_place(self) -> dict[str, str]:
        """The names to which values are bound, by what the columns are called now."""
        return {self.at.get(name, name): name for name in self.sealing.fields}

    def as_dict(self) -> dict[str, Any]:
        """Return it as a step says it."""
        moved = {name: place for name, place in self.at.items() if name != place}
        return {**self.sealing.as_dict(), **({"at": moved} if moved else {})}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Part":
        """Return what `as_dict` has written."""
        return cls(Sealing.from_dict(said), dict(said.get("at", {})))
