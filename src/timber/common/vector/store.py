"""Writes pieces of texts and their vectors, each in the transaction of its caller."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    Table,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from timber.common.database.sqlite_transactions import begin
from timber.common.errors import EncryptionError, SchemaMismatchError
from timber.common.ids import IdFactory
from timber.common.vector.documents import Document
from timber.common.vector.sealed_pieces import PiecePlace, PieceSeals
from timber.common.vector.statements import Statements
from timber.common.vector.tables import embeddings
from timber.common.vector.words import spaced

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

AT_ONCE: Final = 500
"""How many values one statement compares with."""

LAST: Final = 1_024
"""Among how many of the pieces that wait for a vector an owner's are looked for."""


@dataclass(frozen=True)
class Pieces:
    """A document, cut up."""

    document: Document
    contents: tuple[str, ...]


@dataclass(frozen=True)
class StoredPiece:
    """A piece that has its place in the database."""

    chunk_id: int
    partition_id: int


class Store:
    """The tables of texts and vectors in one database."""

    def __init__(self, metadata: MetaData, *, new_id: IdFactory, seals: PieceSeals) -> None:
        self._metadata = metadata
        self.seals = seals
        self.statements = Statements()
        """Those that are run for each text that is taken in."""
        self._new_id = new_id

    @property
    def sources(self) -> Table:
        return self._table("vector_sources")

    @property
    def partitions(self) -> Table:
        return self._table("vector_partitions")

    @property
    def chunks(self) -> Table:
        return self._table("vector_chunks")

    @property
    def pending(self) -> Table:
        return self._table("vector_pending")

    @property
    def outbox(self) -> Table:
        return self._table("vector_outbox")

    def waits_of(self, owner: Any) -> ColumnElement[bool]:
        """Return what the entries of `pending` meet that are an owner's, among the last listed.

        However many wait of others, no more than `LAST` are looked at: the rest is older.
        The owner may be a parameter.
        """
        pending, chunks = self.pending, self.chunks
        last = select(pending.c.chunk_id).order_by(pending.c.chunk_id.desc()).limit(LAST)
        of_owner = select(chunks.c.chunk_id).where(
            chunks.c.chunk_id.in_(last), chunks.c.owner == owner
        )
        return pending.c.chunk_id.in_(of_owner)

    def _table(self, name: str) -> Table:
        table = self._metadata.tables.get(name)
        if table is None:
            raise SchemaMismatchError(
                f"the table {name!r} is missing: load the packaged models, which have it"
            )
        return table

    # ------------------------------------------------------------------ texts

    def replace(
        self, connection: Connection, texts: Sequence[Pieces], *, now: datetime
    ) -> list[StoredPiece]:
        """Put documents in the place of those with the same keys; return their pieces, in order.

        None of them has a vector yet.
        """
        self.remove(connection, [one.document.key for one in texts])
        return self.add(connection, texts, now=now)

    def add(
        self, connection: Connection, texts: Sequence[Pieces], *, now: datetime
    ) -> list[StoredPiece]:
        """Store documents of whose keys there are none; return their pieces, as `replace` does."""
        if any(one.document.sealed_for is not None for one in texts):
            self.seals.lease(connection)
        partitions = self._partitions_of(connection, (one.document for one in texts))
        rows: list[dict[str, Any]] = [
            {
                "partition_id": partitions[one.document.source_type, one.document.owner],
                "source_type": one.document.source_type,
                "source_id": one.document.source_id,
                "ordinal": ordinal,
                "owner": one.document.owner,
                **self._written(one.document, ordinal, content),
                "attributes": dict(one.document.metadata),
                "importance": one.document.importance,
                "occurred_at": one.document.occurred_at,
                "created_at": now,
            }
            for one in texts
            for ordinal, content in enumerate(one.contents)
        ]
        if not rows:
            return []
        keys = self._insert(connection, rows)
        return [StoredPiece(key, row["partition_id"]) for key, row in zip(keys, rows, strict=True)]

    def _written(self, document: Document, ordinal: int, content: str) -> dict[str, Any]:
        """Return how the text of a piece is kept, and what it is found by."""
        if document.sealed_for is None:
            return {"content": content, "sealed": None, "words": spaced(content)}
        place = PiecePlace(document.source_type, document.source_id, ordinal)
        return {
            "content": "",
            "sealed": self.seals.seal(place, content, subject=document.sealed_for),
            "words": self.seals.words(document.source_type, content),
        }

    def text_of(self, piece: Any) -> str:
        """Return the text of a row of `chunks`.

        Raises:
            SubjectErasedError: whom it is about was erased.
            EncryptionError: it cannot be opened.

        """
        if piece.sealed is None:
            return str(piece.content)
        place = PiecePlace(piece.source_type, piece.source_id, piece.ordinal)
        return self.seals.open(place, bytes(piece.sealed))

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> Sequence[int]:
        """Insert pieces, and return their keys, in order."""
        if connection.dialect.name == "sqlite":
            # Nobody else writes meanwhile, so the keys are known before; asked for, SQLite would
            # tell them one by one.
            begin(connection)
            last = connection.scalar(_LAST_KEY) or 0
            keys = range(last + 1, last + 1 + len(rows))
            given = [row | {"chunk_id": key} for key, row in zip(keys, rows, strict=True)]
            connection.execute(self.statements.made("chunks", lambda: insert(self.chunks)), given)
            return keys
        statement = insert(self.chunks).returning(
            self.chunks.c.chunk_id, sort_by_parameter_order=True
        )
        return connection.scalars(statement, rows).all()

    def refresh(
        self, connection: Connection, texts: Sequence[Pieces]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Update what is known of documents whose pieces are the same.

        All of one source. Returns their ids, and those of the others that have pieces. The vectors
        of the first stay, for their texts have not changed.
        """
        if not texts:
            return frozenset(), frozenset()
        chunks = self.chunks
        known: dict[str, dict[int, tuple[str | None, str, bool]]] = {}
        for some in batches((one.document.source_id for one in texts), AT_ONCE):
            asked = {"of_type": texts[0].document.source_type, "ids": some}
            rows = connection.execute(self.statements.made("known", self._known), asked)
            for row in rows:
                piece = (self._text_if_open(row), row.owner, row.sealed is not None)
                known.setdefault(row.source_id, {})[row.ordinal] = piece
        same = [
            one.document
            for one in texts
            if one.contents
            and known.get(one.document.source_id)
            == {
                place: (text, one.document.owner, one.document.sealed_for is not None)
                for place, text in enumerate(one.contents)
            }
        ]
        if same:
            connection.execute(
                update(chunks)
                .where(chunks.c.source_type == bindparam("of_type"))
                .where(chunks.c.source_id == bindparam("of_id")),
                [
                    {
                        "of_type": one.source_type,
                        "of_id": one.source_id,
                        "attributes": dict(one.metadata),
                        "importance": one.importance,
                        "occurred_at": one.occurred_at,
                    }
                    for one in same
                ],
            )
        kept = frozenset(one.source_id for one in same)
        return kept, frozenset(known.keys() - kept)

    def _known(self) -> Any:
        chunks = self.chunks
        return (
            select(
                *(chunks.c.source_type, chunks.c.source_id, chunks.c.ordinal),
                *(chunks.c.content, chunks.c.sealed, chunks.c.owner),
            )
            .where(chunks.c.source_type == bindparam("of_type"))
            .where(chunks.c.source_id.in_(bindparam("ids", expanding=True)))
        )

    def _text_if_open(self, piece: Any) -> str | None:
        try:
            return self.text_of(piece)
        except EncryptionError:
            return None  # whatever was there, it is to be made anew

    def remove(self, connection: Connection, keys: Iterable[tuple[str, str]]) -> int:
        """Delete documents with all that was made of them; return how many pieces that were."""
        chunks = self.chunks
        by_source: dict[str, list[str]] = {}
        for source_type, source_id in sorted(set(keys)):
            by_source.setdefault(source_type, []).append(source_id)
        count = 0
        for source_type, ids in by_source.items():
            for some in batches(ids, AT_ONCE):
                statement = delete(chunks).where(
                    chunks.c.source_type == source_type, chunks.c.source_id.in_(some)
                )
                count += connection.execute(statement).rowcount
        return count

    def lock(self, connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
        """Let nobody else put documents in these places until the transaction ends."""
        if connection.dialect.name == "postgresql":
            for source_type, source_id in sorted(set(keys)):
                connection.execute(_LOCK, {"source_type": source_type, "source_id": source_id})

    def _partitions_of(
        self, connection: Connection, documents: Iterable[Document]
    ) -> Mapping[tuple[str, str], int]:
        wanted = sorted({(one.source_type, one.owner) for one in documents})
        table = self.partitions
        found: dict[tuple[str, str], int] = {}
        for some in batches(wanted, AT_ONCE // 2):
            found |= self._known_partitions(connection, some)
            missing = [one for one in some if one not in found]
            if not missing:
                continue
            rows = [
                {"source_type": source_type, "owner": owner, "version": self._new_id()}
                for source_type, owner in missing
            ]
            connection.execute(ignoring_duplicates(connection, table), rows)
            found |= self._known_partitions(connection, missing)
        return found

    def _known_partitions(
        self, connection: Connection, wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], int]:
        table = self.partitions
        is_shared = connection.dialect.name == "postgresql"

        def known() -> Any:
            # Source by source: for pairs in a list SQLite reads the whole table.
            statement = select(table.c.source_type, table.c.owner, table.c.partition_id).where(
                table.c.source_type == bindparam("of_type"),
                table.c.owner.in_(bindparam("owners", expanding=True)),
            )
            return statement.with_for_update(read=True, key_share=True) if is_shared else statement

        statement = self.statements.made(("partitions", is_shared), known)
        found: dict[tuple[str, str], int] = {}
        for source_type, some in groupby(sorted(wanted), key=itemgetter(0)):
            asked = {"of_type": source_type, "owners": [owner for _, owner in some]}
            rows = connection.execute(statement, asked)
            found |= {(row.source_type, row.owner): row.partition_id for row in rows}
        return found

    # ------------------------------------------------------------------ vectors

    def await_vectors(
        self, connection: Connection, source_type: str, pieces: Sequence[StoredPiece]
    ) -> None:
        """Put pieces on the list of those that have no vector yet."""
        rows = [
            {"chunk_id": piece.chunk_id, "source_type": source_type, "attempts": 0}
            for piece in pieces
        ]
        if rows:
            listed = self.statements.made("pending", lambda: insert(self.pending))
            connection.execute(listed, rows)

    def add_vectors(
        self, connection: Connection, places: Sequence[tuple[int, int]], vectors: "Vectors"
    ) -> None:
        """Store vectors, one for each `(chunk_id, partition_id)`."""
        insert_vectors(connection, embeddings, places, vectors)


def insert_vectors(
    connection: Connection, table: Table, places: Sequence[tuple[int, int]], vectors: "Vectors"
) -> None:
    """Store vectors in one of the tables for them."""
    if not places:
        return
    written = written_vectors(vectors, connection.dialect.name)
    rows = [
        {"chunk_id": chunk_id, "partition_id": partition_id, "embedding": vector}
        for (chunk_id, partition_id), vector in zip(places, written, strict=True)
    ]
    connection.execute(_INTO_EMBEDDINGS if table is embeddings else insert(table), rows)


def written_vectors(vectors: "Vectors", dialect: str) -> list[Any]:
    """Return vectors as a kind of database keeps them."""
    if dialect == "sqlite":
        return [vector.tobytes() for vector in vectors.astype("<f4", copy=False)]
    return [f"[{','.join(map(repr, vector))}]" for vector in vectors.tolist()]


def ignoring_duplicates(connection: Connection, table: Table) -> Any:
    """Return an INSERT that leaves alone what is there already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def batches(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """Give items in lists of at most that size."""
    rest = iter(items)
    while taken := list(islice(rest, size)):
        yield taken


_INTO_EMBEDDINGS: Final = insert(embeddings)

_LAST_KEY: Final = text("SELECT seq FROM sqlite_sequence WHERE name = 'vector_chunks'")

_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock("
    "hashtextextended(:source_type || chr(10) || :source_id, 7401934))"
)
