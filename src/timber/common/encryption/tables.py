"""What the columns of a table are sealed with: codecs, and what binds a value to its place."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Enum, String, Table as SQLTable, Text, select

from timber.common.encryption.base import subject_of, subject_of_table
from timber.common.encryption.blind_index import normalised
from timber.common.encryption.codec import codec_of
from timber.common.encryption.identities import SealTarget, Spelling, part
from timber.common.encryption.index_versions import is_unique
from timber.common.errors import EncryptionError, MissingValueError
from timber.common.modeling.sealed import SealedColumn
from timber.common.modeling.sealed_tables import SealedTable


class Field:
    """One sealed column."""

    __slots__ = ("_write_normalised", "about", "codec", "column", "tag", "write")

    def __init__(self, column: SealedColumn) -> None:
        self.column = column
        self.codec = codec_of(column.plain)
        self.tag, self.write = self.codec.tag, self.codec.write
        self.about = part(b"t", column.table) + part(b"c", column.name)
        """What binds its values to the table and the column."""
        is_text = isinstance(column.plain, String) and not isinstance(column.plain, Enum)
        # Normalised, a text may be longer than the value that the column holds.
        self._write_normalised = codec_of(Text()).write if is_text else self.write

    def dumps_normalised(self, value: Any) -> bytes:
        """Return what counts as equal to the value where it is looked for, as bytes.

        Raises as the codec's `write`.
        """
        return self.tag + self._write_normalised(normalised(value, self.column.normalise))


class TableSeal:
    """A table with sealed columns."""

    def __init__(self, table: SQLTable, sealed: SealedTable) -> None:
        self.sealed = sealed
        self.fields: Mapping[str, Field] = {
            name: Field(column) for name, column in sealed.columns.items()
        }
        self._table = table
        self.key_names = sealed.key or tuple(table.primary_key.columns.keys())
        self._key = tuple(Spelling(table.c[name]) for name in self.key_names)
        self._only_key = self._key[0] if len(self._key) == 1 else None
        self._link = None if sealed.link is None else Spelling(table.c[sealed.link])
        self._nobody = subject_of_table(sealed.name)
        last = self._last_column()
        self._person = None if last is None else Spelling(last)

    def field(self, name: str) -> Field:
        """Return a sealed column.

        Raises:
            EncryptionError: the column is not sealed.

        """
        found = self.fields.get(name)
        if found is None:
            raise EncryptionError(f"{self.sealed.name}.{name} is no sealed column")
        return found

    def index(self, name: str) -> Column[Any]:
        """Return the column with the index of a searchable one."""
        return self._table.c[str(self.fields[name].column.index)]

    def must_be_unique(self, name: str) -> bool:
        """Tell whether no two rows may have one value of a searchable column."""
        return is_unique(self._table, self.index(name))

    def row(self, key: Sequence[Any], link: Any) -> bytes:
        """Return what binds values to the row with that primary key, and to whose it is.

        Raises:
            MissingValueError: the row has no primary key yet.

        """
        return self.bound(key) + self.owned(link)

    def rows(
        self, keys: Sequence[Sequence[Any]], links: Sequence[Any], connection: Connection
    ) -> list[tuple[bytes, str]]:
        """Return what binds values to each row, and whose it is.

        The connection is asked where only other tables know whose.
        Raises as `row`.
        """
        bound = list(map(self.bound, keys))
        if self.sealed.link is None:
            return [
                (about, str(self.subject(key, None)))
                for about, key in zip(bound, keys, strict=True)
            ]
        distinct = set(links)
        people = self._follow(distinct - {None}, connection) if self.sealed.hops else None
        owners = {
            link: (self.owned(link), self._subject_at(link if people is None else people[link]))
            if link is not None
            else (self.owned(None), self._nobody)
            for link in distinct
        }
        found = []
        for about, link in zip(bound, links, strict=True):
            owned, subject = owners[link]
            found.append((about + owned, subject))
        return found

    def _subject_at(self, person: Any) -> str:
        if person is None or self._person is None:
            return self._nobody
        return subject_of(self.sealed.people, self._person.text(person))

    def bound(self, key: Sequence[Any]) -> bytes:
        """Return what binds values to the row with that key. Raises as `row`."""
        if None in key:
            raise MissingValueError(
                f"what is sealed in {self.sealed.name} is bound to the key of its row: give it one"
            )
        if self._only_key is not None:
            return self._only_key.part(key[0])
        return b"".join(
            spelling.part(value) for spelling, value in zip(self._key, key, strict=True)
        )

    def owned(self, link: Any) -> bytes:
        """Return what binds values to whose row it is."""
        return b"" if self._link is None else self._link.part(link)

    def require(self, names: Collection[str]) -> None:
        """Do nothing, if what binds values to their rows is among some columns.

        Raises:
            EncryptionError: names those that are missing.

        """
        link = self.sealed.link
        missing = {*self.key_names, *([link] if link else [])}.difference(names)
        if missing:
            listed = ", ".join(sorted(missing))
            raise EncryptionError(f"{self.sealed.name}: the row must come with its {listed}")

    def target(self, column: str, row: Mapping[Any, Any], subject: str | None) -> SealTarget:
        """Return the place of a column's value in a row.

        Raises:
            EncryptionError: the row lacks its primary key, or by what it belongs to a person.

        """
        self.require(row)
        link = self.sealed.link
        key = tuple(row[name] for name in self.key_names)
        return SealTarget(
            table=self.sealed.name,
            column=column,
            key=key,
            link=row[link] if link else None,
            subject=subject,
        )

    def subject(self, key: Sequence[Any], link: Any) -> str | None:
        """Return whose row it is; None if only other tables can tell."""
        if self.sealed.is_apart:
            return None
        if self._person is None:
            return self._nobody
        if self.sealed.is_people:
            return self._subject_at(key[0])
        return None if self.sealed.hops and link is not None else self._subject_at(link)

    def _follow(self, links: set[Any], connection: Connection) -> dict[Any, Any]:
        """Return the person's key to which each link leads."""
        reached = {link: link for link in links}
        for hop in self.sealed.hops:
            table = self._table.metadata.tables[hop.table]
            at, to = table.c[hop.key], table.c[hop.column]
            wanted = {one for one in reached.values() if one is not None}
            found: dict[Any, Any] = {}
            for some in _some(sorted(wanted, key=str)):
                rows = connection.execute(select(at, to).where(at.in_(some)))
                found.update((key, following) for key, following in rows)
            reached = {link: found.get(one) for link, one in reached.items()}
        return reached

    def _last_column(self) -> Any:
        """Return the column with the key of the person; None if rows are about nobody."""
        if self.sealed.is_people:
            return next(iter(self._table.primary_key.columns))
        if self.sealed.hops:
            last = self.sealed.hops[-1]
            return self._table.metadata.tables[last.table].c[last.column]
        return None if self.sealed.link is None else self._table.c[self.sealed.link]


_MOST: Final = 500


def _some(values: Sequence[Any]) -> Any:
    return (values[at : at + _MOST] for at in range(0, len(values), _MOST))
