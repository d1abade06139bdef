"""Tables with sealed columns as a renewal sees them: bytes, past all that an ORM does.

No default, no version, no cache and no sealing comes in between, so nothing but the bytes of
what is renewed changes.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    MetaData,
    RowMapping,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from timber.common.encryption.codec import codec_of
from timber.common.modeling.sealed_tables import apart_of, sealed_of

_OLD: Final = "old_"


@dataclass(frozen=True)
class RawRow:
    """A row, as bytes."""

    key: tuple[Any, ...]
    link: Any
    sealed: Mapping[str, bytes]
    """By column; what is null is left out."""
    indexes: Mapping[str, bytes | None]
    """What the index of each searchable column holds, by that column."""
    words: str | None = None
    """The keyed hashes of its words, where it has such a column."""


NewValues: TypeAlias = Mapping[str, bytes | str | None]
"""What is to be in some columns of a row."""
Change: TypeAlias = tuple[RawRow, NewValues]


class RawTable:
    """One table."""

    def __init__(self, table: Table) -> None:
        sealed = sealed_of(table) or apart_of(table)
        if sealed is None:
            raise ValueError(f"{table.name} has no sealed columns")
        self.name: Final = table.name
        self.sealed: Final = tuple(sealed.columns)
        self.index_of: Final[Mapping[str, str]] = {
            name: column.index for name, column in sealed.columns.items() if column.index
        }
        self.words: Final = sealed.words
        self._key_names = sealed.key or tuple(table.primary_key.columns.keys())
        self._link = sealed.link
        plain = {name: table.c[name].type for name in (*self._key_names, sealed.link) if name}
        hidden = (*self.sealed, *self.index_of.values())
        self._table = Table(
            table.name,
            MetaData(schema=table.schema),
            *(Column(name, kind) for name, kind in plain.items()),
            *(Column(name, LargeBinary) for name in hidden),
            *((Column(self.words.column, Text),) if self.words else ()),
        )
        self._key = [self._table.c[name] for name in self._key_names]
        self._codecs = [codec_of(column.type) for column in self._key]

    def count(self, connection: Connection) -> int:
        """Return how many rows have something sealed."""
        return int(
            connection.execute(
                select(func.count()).select_from(self._table).where(self._any_sealed())
            ).scalar_one()
        )

    def page(self, connection: Connection, after: Sequence[Any] | None, size: int) -> list[RawRow]:
        """Return the rows with something sealed that come next by the primary key."""
        query = select(self._table).where(self._any_sealed()).order_by(*self._key).limit(size)
        if after is not None:
            bounds = [
                literal(one, column.type) for one, column in zip(after, self._key, strict=True)
            ]
            alone = len(bounds) == 1
            query = query.where(
                self._key[0] > bounds[0] if alone else tuple_(*self._key) > tuple_(*bounds)
            )
        return [self._row(row) for row in connection.execute(query).mappings()]

    def locked(self, connection: Connection, rows: Sequence[RawRow]) -> set[tuple[Any, ...]]:
        """Lock rows that nobody else holds until the transaction ends; return their keys."""
        if len(self._key) == 1:
            among = self._key[0].in_([row.key[0] for row in rows])
        else:
            among = tuple_(*self._key).in_([row.key for row in rows])
        query = select(*self._key).where(among).with_for_update(skip_locked=True)
        return {tuple(key) for key in connection.execute(query)}

    def outdated(
        self, connection: Connection, column: str, version: int, most: int
    ) -> set[tuple[Any, ...]]:
        """Return the keys of rows whose value has an index of another version, or none."""
        index = self._table.c[self.index_of[column]]
        its = func.substr(index, 1, 1, type_=LargeBinary)
        query = select(*self._key).where(
            self._table.c[column].is_not(None),
            or_(index.is_(None), its != literal(version.to_bytes(1, "big"), LargeBinary)),
        )
        return {tuple(key) for key in connection.execute(query.limit(most))}

    def replace(
        self,
        connection: Connection,
        changes: Sequence[Change],
    ) -> None:
        """Put new bytes, by column, in the place of those that were read, where they still are."""
        for columns, some in _by_columns(changes).items():
            connection.execute(
                self._replacement(columns), [self._parameters(row, new) for row, new in some]
            )

    def _replacement(self, columns: tuple[str, ...]) -> Any:
        same = [column == bindparam(f"{_OLD}{column.name}") for column in self._key]
        before = [
            self._table.c[name].is_not_distinct_from(
                bindparam(f"{_OLD}{name}", type_=self._table.c[name].type)
            )
            for name in columns
        ]
        return (
            update(self._table)
            .where(and_(*same, *before))
            .values(
                {
                    name: bindparam(f"new_{name}", type_=self._table.c[name].type)
                    for name in columns
                }
            )
        )

    def noted(self, key: Sequence[Any]) -> list[str]:
        """Return a primary key as it can be noted down."""
        return [
            base64.b64encode(codec.dumps(value)).decode("ascii")
            for codec, value in zip(self._codecs, key, strict=True)
        ]

    def read_note(self, noted: Sequence[str]) -> tuple[Any, ...]:
        """Return the primary key that was noted."""
        return tuple(
            codec.loads(base64.b64decode(one))
            for codec, one in zip(self._codecs, noted, strict=True)
        )

    def _any_sealed(self) -> Any:
        return or_(*(self._table.c[name].is_not(None) for name in self.sealed))

    def _row(self, row: RowMapping) -> RawRow:
        return RawRow(
            key=tuple(row[name] for name in self._key_names),
            link=row[self._link] if self._link else None,
            sealed={name: bytes(row[name]) for name in self.sealed if row[name] is not None},
            indexes={
                name: None if row[index] is None else bytes(row[index])
                for name, index in self.index_of.items()
            },
            words=row[self.words.column] if self.words else None,
        )

    def _parameters(self, row: RawRow, new: NewValues) -> dict[str, Any]:
        stored: dict[str, Any] = {**dict.fromkeys(self.sealed), **row.sealed}
        stored |= {self.index_of[name]: value for name, value in row.indexes.items()}
        if self.words:
            stored[self.words.column] = row.words
        return {
            **{
                f"{_OLD}{name}": value
                for name, value in zip(self._key_names, row.key, strict=True)
            },
            **{f"{_OLD}{name}": stored[name] for name in new},
            **{f"new_{name}": value for name, value in new.items()},
        }


def _by_columns(
    changes: Sequence[Change],
) -> dict[tuple[str, ...], list[Change]]:
    found: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        found.setdefault(tuple(sorted(change[1])), []).append(change)
    return found


def raw_tables(metadata: MetaData) -> dict[str, RawTable]:
    """Return the tables with sealed columns, by name, in order."""
    return {
        name: RawTable(metadata.tables[name])
        for name in sorted(metadata.tables)
        if (sealed_of(metadata.tables[name]) or apart_of(metadata.tables[name])) is not None
    }
