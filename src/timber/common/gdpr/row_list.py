"""The list of the rows that are a person's, made before any of them is changed.

So it does not matter whether a row is still to be found by its path when its turn comes, nor in
which order rows go that lead to each other.
"""

import contextlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from timber.common.caching import codec
from timber.common.database.sqlite_transactions import begin
from timber.common.gdpr.saga import Erasing
from timber.common.gdpr.subjects import Belonging, keys_of
from timber.common.gdpr.tables import listed
from timber.common.modeling.ownership import OnErase

Key = tuple[Any, ...]

BATCH: Final = 500
"""How many rows a transaction changes, and how many are in memory at once."""


class Fate(StrEnum):
    """What becomes of a row on the list."""

    FOUND = "found"
    """Its turn comes."""
    WAITING = "waiting"
    """It cannot go as long as something points to it."""
    STAYS = "stays"
    """It stays: retained, or without what told of the person."""
    HELD = "held"
    """It stays as it is, for it is under a legal hold."""


@dataclass(frozen=True)
class Listed:
    """A row on the list."""

    number: int
    key: tuple[Any, ...]
    text: str
    """The key as it is written."""


@dataclass(frozen=True)
class RowList:
    """The list of one erasure; each call is part of its caller's transaction."""

    connection: Connection
    erasing: Erasing

    def fill(
        self, table: Table, belonging: Belonging, on_erase: OnErase, held: ColumnElement[bool]
    ) -> None:
        """Put the person's rows of a table on the list that are not on it."""
        begin(self.connection)
        theirs = belonging.of(table, table.key, self.erasing.whom)
        self._put(table, and_(theirs, held), Fate.HELD)
        self._put(table, theirs, Fate.STAYS if on_erase == "retain" else Fate.FOUND)

    def _put(self, table: Table, theirs: ColumnElement[bool], fate: Fate) -> None:
        """Put rows on the list that are not on it."""
        found = self.connection.execute(
            select(*keys_of(table)).where(theirs), execution_options={"yield_per": BATCH}
        )
        dialect = postgresql if self.connection.dialect.name == "postgresql" else sqlite
        ignoring = dialect.insert(listed).on_conflict_do_nothing()
        same = {
            "erasure_id": self.erasing.erasure_id,
            "table_name": table.key,
            "fate": fate.value,
        }
        with contextlib.closing(found):
            for part in found.partitions():
                rows = [{**same, "key": written(row)} for row in part]
                self.connection.execute(ignoring, rows)

    def some(self, table: Table, fate: Fate, most: int = BATCH, *, after: int = 0) -> list[Listed]:
        """Return some rows that have that fate, the first ones behind a number."""
        statement = (
            select(listed.c.number, listed.c.key)
            .where(*self._of(table), listed.c.fate == fate.value, listed.c.number > after)
            .order_by(listed.c.number)
            .limit(most)
        )
        return _read(self.connection.execute(statement).all())

    def listed(self, table: Table, keys: Iterable[Key], fate: Fate) -> list[Listed]:
        """Return those of some rows that are on the list with that fate."""
        statement = select(listed.c.number, listed.c.key).where(
            *self._of(table),
            listed.c.key.in_([written(key) for key in keys]),
            listed.c.fate == fate.value,
        )
        return _read(self.connection.execute(statement).all())

    def has(self, fate: Fate) -> bool:
        """Tell whether a row has that fate."""
        statement = (
            select(listed.c.number)
            .where(listed.c.erasure_id == self.erasing.erasure_id, listed.c.fate == fate.value)
            .limit(1)
        )
        return self.connection.execute(statement).first() is not None

    def among(self, table: Table, keys: Iterable[Sequence[Any]], *fates: Fate) -> set[str]:
        """Return the keys, as they are written, that are on the list with one of these fates."""
        statement = select(listed.c.key).where(
            *self._of(table),
            listed.c.key.in_([written(key) for key in keys]),
            listed.c.fate.in_([one.value for one in fates]),
        )
        return set(self.connection.scalars(statement))

    def strike(self, rows: Collection[Listed]) -> None:
        """Take rows off the list."""
        for some in _batches(rows):
            numbers = [one.number for one in some]
            self.connection.execute(delete(listed).where(listed.c.number.in_(numbers)))

    def set(self, rows: Collection[Listed], fate: Fate) -> None:
        """Give rows another fate."""
        for some in _batches(rows):
            numbers = [one.number for one in some]
            self.connection.execute(
                update(listed).where(listed.c.number.in_(numbers)).values(fate=fate.value)
            )

    def try_again(self) -> None:
        """Let those that wait have another turn."""
        self.connection.execute(
            update(listed)
            .where(listed.c.erasure_id == self.erasing.erasure_id)
            .where(listed.c.fate == Fate.WAITING.value)
            .values(fate=Fate.FOUND.value)
        )

    def counts(self, fate: Fate) -> dict[str, int]:
        """Return how many rows have that fate, by table."""
        statement = (
            select(listed.c.table_name, func.count())
            .where(listed.c.erasure_id == self.erasing.erasure_id)
            .where(listed.c.fate == fate.value)
            .group_by(listed.c.table_name)
        )
        return {row[0]: int(row[1]) for row in self.connection.execute(statement)}

    def _of(self, table: Table) -> tuple[Any, Any]:
        return (
            listed.c.erasure_id == self.erasing.erasure_id,
            listed.c.table_name == table.key,
        )


def written(key: Sequence[Any]) -> str:
    """Return a primary key as the list has it."""
    # What keys mostly are; a call of the encoder for each row is a third of what a list costs.
    parts = [
        encode_basestring_ascii(one)
        if type(one) is str
        else str(one)
        if type(one) is int
        else None
        for one in key
    ]
    if None in parts:
        return codec.dumps(list(key)).decode()
    return f'{{"l":[{",".join(map(str, parts))}]}}'


def _read(rows: Sequence[Any]) -> list[Listed]:
    keys = codec.loads(f"[{','.join(row.key for row in rows)}]".encode())
    return [Listed(row.number, tuple(key), row.key) for row, key in zip(rows, keys, strict=True)]


def _batches(rows: Iterable[Listed]) -> Iterable[list[Listed]]:
    rest = iter(rows)
    while taken := list(islice(rest, BATCH)):
        yield taken
