"""What other tables know of a row without a foreign key: the texts made of it, its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, update

from timber.common.modeling.history import HISTORY
from timber.common.modeling.spec import ModelSpec
from timber.common.vector.rows import RowSource

TEXTS = "vector_chunks"
OUTBOX = "vector_outbox"


@dataclass(frozen=True)
class Beside:
    """A table whose rows name rows of another one by a kind and a key, both texts."""

    table: Table
    kind_column: str
    kind: str
    id_column: str

    def of(self, keys: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        """Return the conditions to be about rows with these keys, of one column."""
        return (
            self.table.c[self.kind_column] == self.kind,
            self.table.c[self.id_column].in_([str(key[0]) for key in keys]),
        )


@dataclass(frozen=True)
class Surroundings:
    """What is beside the rows of one table."""

    all: tuple[Beside, ...] = ()

    def remove(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> int:
        """Delete texts and history of rows that are about to go; return how many texts."""
        texts = 0
        for one in self.all:
            if one.table.key != OUTBOX:
                gone = connection.execute(delete(one.table).where(*one.of(keys))).rowcount
                texts += gone if one.table.key == TEXTS else 0
        return texts

    def forget(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> None:
        """Have nobody look for rows that are gone, as their triggers have asked."""
        for one in self.all:
            if one.table.key == OUTBOX:
                connection.execute(delete(one.table).where(*one.of(keys)))

    def anonymise(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> int:
        """Leave the history without its reasons, and delete texts; rows will be read again."""
        texts = 0
        for one in self.all:
            if one.table.key == TEXTS:
                texts += connection.execute(delete(one.table).where(*one.of(keys))).rowcount
            elif one.table.key == HISTORY:
                connection.execute(update(one.table).where(*one.of(keys)).values(reason=None))
        return texts


NOTHING_BESIDE: Final = Surroundings()


def surroundings(
    tables: Mapping[str, Table],
    models: Mapping[str, ModelSpec],
    sources: Mapping[str, RowSource],
) -> dict[str, Surroundings]:
    """Return what is beside the rows of each table; `models` and `sources` by their tables."""
    found = {}
    for name, table in tables.items():
        if len(table.primary_key) != 1:
            continue
        kinds: list[Beside] = []
        session_type = models[name].session_type if name in models else None
        if session_type and HISTORY in tables:
            kinds.append(Beside(tables[HISTORY], "session_type", session_type, "session_id"))
        if name in sources:
            source_type = sources[name].source_type
            kinds += [
                Beside(tables[one], "source_type", source_type, "source_id")
                for one in (TEXTS, OUTBOX)
                if one in tables
            ]
        if kinds:
            found[name] = Surroundings(tuple(kinds))
    return found
