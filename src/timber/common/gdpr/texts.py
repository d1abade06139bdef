"""Deletes the texts, words and vectors that a person owns, whether rows say so or documents."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, false, or_, select

from timber.common.failpoints import reach
from timber.common.gdpr.beside import TEXTS
from timber.common.gdpr.failpoints import Failpoint
from timber.common.gdpr.holds import Held
from timber.common.gdpr.row_list import BATCH
from timber.common.gdpr.saga import Erasing, Saga, Step
from timber.common.gdpr.schema import Schema
from timber.common.gdpr.subjects import Person, key_text, keys_of
from timber.common.modeling.subjects import PEOPLE

PARTITIONS: Final = "vector_partitions"


@dataclass(frozen=True, kw_only=True)
class TextEraser:
    """The step of an erasure that is about texts."""

    transact: Callable[[Callable[[Connection], Any]], Any]
    tables: Mapping[str, Table]
    retained: Collection[str]
    """What rows that are retained are called in searches: their texts stay with them."""
    schema: Schema
    saga: Saga

    def erase(self, erasing: Erasing, following: Step) -> None:
        """Delete what has the person as its owner."""
        while self._some(erasing, following):
            reach(Failpoint.BATCH_GONE)

    def _some(self, erasing: Erasing, following: Step) -> bool:
        def work(connection: Connection) -> bool:
            now = self.saga.locked(connection, erasing.erasure_id)
            if now.step is not Step.TEXTS:
                return False
            gone = self._delete(connection, now.whom)
            now.counts.texts += gone
            self.saga.save(connection, now, step=None if gone else following)
            return gone > 0

        found: bool = self.transact(work)
        return found

    def are_left(self, connection: Connection, person: Person) -> bool:
        """Tell whether there are texts that are to be deleted."""
        chunks = self.tables.get(TEXTS)
        return chunks is not None and bool(self._some_of(connection, chunks, person, 1))

    def _some_of(
        self, connection: Connection, chunks: Table, person: Person, most: int
    ) -> Sequence[Any]:
        held = self.schema.holds.read(connection, keeping=True)
        some = select(chunks.c.chunk_id).where(
            owned_texts(chunks, person, self.retained),
            ~held_texts(self.schema, held, chunks, connection.dialect.name),
        )
        return connection.scalars(some.limit(most)).all()

    def _delete(self, connection: Connection, person: Person) -> int:
        chunks, partitions = self.tables.get(TEXTS), self.tables.get(PARTITIONS)
        if chunks is None or partitions is None:
            return 0
        keys = self._some_of(connection, chunks, person, BATCH)
        gone = 0
        if keys:
            gone = connection.execute(delete(chunks).where(chunks.c.chunk_id.in_(keys))).rowcount
        else:
            empty = ~exists().where(chunks.c.partition_id == partitions.c.partition_id)
            mine = partitions.c.owner == str(person.key)
            if person.table == PEOPLE:
                connection.execute(delete(partitions).where(mine, empty))
        return gone


def owned_texts(chunks: Table, person: Person, retained: Collection[str]) -> ColumnElement[bool]:
    """Return the condition on texts to have the person as their owner.

    An owner is the key of a user; what is owned by persons of other tables, their rows say.
    """
    if person.table != PEOPLE:
        return chunks.c.chunk_id.is_(None)
    return (chunks.c.owner == str(person.key)) & chunks.c.source_type.not_in(sorted(retained))


def held_texts(schema: Schema, held: Held, chunks: Table, dialect: str) -> ColumnElement[bool]:
    """Return the condition on texts to be held themselves, or made of a row that is."""
    found = [held.condition(chunks, chunks)]
    for name, beside in schema.beside.items():
        kinds = [one.kind for one in beside.all if one.table is chunks]
        if not (kinds and held.can(name)):
            continue
        rows = schema.belonging.metadata.tables[name].alias()
        [key] = keys_of(schema.belonging.metadata.tables[name])
        mine = select(key_text(rows.c[key.key], dialect)).where(
            held.condition(rows, schema.belonging.metadata.tables[name])
        )
        found.append(chunks.c.source_type.in_(kinds) & chunks.c.source_id.in_(mine))
    return or_(false(), *found)
