"""Gives a source the vectors of another embedder, while the old ones answer.

The new vectors gather beside, in `vector_embeddings_next`, for as long as it takes; whoever is
stopped meanwhile goes on where he was. When all are there, one transaction puts them in the place
of the old ones. Texts that come meanwhile get vectors of the old embedder, and of the new one.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, select, update

from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.database.sqlite_transactions import begin
from timber.common.errors import EmbeddingError, InvalidRequestError, SubjectErasedError
from timber.common.vector.base import OnProgress
from timber.common.vector.embedding import Embedding
from timber.common.vector.identities import Identity, stored_identity
from timber.common.vector.pending import PIECES
from timber.common.vector.sealed_pieces import discreet
from timber.common.vector.store import Store, insert_vectors
from timber.common.vector.tables import embeddings, next_embeddings

_PROBE: Final = "How long is a vector?"


@dataclass(frozen=True)
class Reembedded:
    """What became of a source."""

    source_type: str
    chunks: int
    """How many pieces were embedded anew by this call; 0: its vectors are of this embedder."""
    embedder: str | None
    dimension: int


class Reembedding:
    """Puts the vectors of one embedder in the place of another's."""

    def __init__(self, *, database: DatabaseService, store: Store) -> None:
        self._database = database
        self._store = store

    def run(
        self, source_type: str, embedding: Embedding, on_progress: OnProgress | None = None
    ) -> Reembedded:
        """Embed all texts of a source anew, as far as that is not done.

        Raises:
            InvalidRequestError: there is no such source.
            EmbeddingError: a text could not be embedded; what was done stays, and is gone on from.

        """
        dimension = int(embedding.of_texts([_PROBE]).shape[1])
        target = Identity.of(embedding, dimension=dimension)
        result = Reembedded(source_type, 0, target.model_id, dimension)
        if not self._database.run_sync(lambda one: self._begin(one, source_type, target)):
            return result
        last = done = 0
        while pieces := self._database.run_sync(
            lambda one, after=last: self._missing(one, source_type, after)  # type: ignore[misc]
        ):
            readable, texts = self._texts(pieces)
            vectors = self._vectors(embedding, readable, texts)
            self._database.run_sync(
                lambda one, of=readable, new=vectors: self._keep(one, of, new)  # type: ignore[misc]
            )
            last = pieces[-1].chunk_id
            done += len(pieces)
            if on_progress is not None:
                on_progress(
                    source_type,
                    *self._database.run_sync(lambda one: self._progress(one, source_type)),
                )
        self._database.run_sync(lambda one: self._take_over(one, source_type))
        return Reembedded(source_type, done, target.model_id, dimension)

    def _begin(self, session: TimberSession, source_type: str, target: Identity) -> bool:
        """Note what takes over; return whether there is anything to do."""
        connection = session.connection()
        begin(connection)
        source = self._source(connection, source_type)
        stored = stored_identity(source)
        under_way = Identity(source.next_model_id, source.next_dimension)
        if stored == target and under_way.dimension is None:
            return False
        if under_way != target:
            self._forget_next(connection, source_type)
            self._update_source(
                connection,
                source_type,
                next_model_id=target.model_id,
                next_dimension=target.dimension,
            )
        return True

    def _missing(self, session: TimberSession, source_type: str, after: int) -> Sequence[Any]:
        chunks = self._store.chunks
        has_one = exists().where(next_embeddings.c.chunk_id == chunks.c.chunk_id)
        return session.execute(
            select(
                *(chunks.c.chunk_id, chunks.c.partition_id, chunks.c.source_type),
                *(chunks.c.source_id, chunks.c.ordinal, chunks.c.content, chunks.c.sealed),
            )
            .where(chunks.c.source_type == source_type, chunks.c.chunk_id > after, ~has_one)
            .order_by(chunks.c.chunk_id)
            .limit(PIECES)
        ).all()

    def _texts(self, pieces: Sequence[Any]) -> tuple[list[Any], list[str]]:
        """Return the pieces that can be read, and their texts: an erasure may be under way."""
        readable, texts = [], []
        for piece in pieces:
            with contextlib.suppress(SubjectErasedError):
                texts.append(self._store.text_of(piece))
                readable.append(piece)
        return readable, texts

    def _vectors(self, embedding: Embedding, pieces: Sequence[Any], texts: list[str]) -> Any:
        try:
            return embedding.of_texts(texts)
        except EmbeddingError as error:
            if not any(one.sealed for one in pieces):
                raise
            failed = discreet(error)
        raise failed

    def _keep(self, session: TimberSession, pieces: Sequence[Any], vectors: Any) -> None:
        connection = session.connection()
        begin(connection)
        chunks = self._store.chunks
        held = select(chunks.c.chunk_id).where(
            chunks.c.chunk_id.in_([one.chunk_id for one in pieces]),
            ~exists().where(next_embeddings.c.chunk_id == chunks.c.chunk_id),
        )
        if connection.dialect.name == "postgresql":
            held = held.with_for_update(read=True, key_share=True, of=chunks)
        there = frozenset(connection.scalars(held))
        kept = [number for number, one in enumerate(pieces) if one.chunk_id in there]
        places = [(pieces[number].chunk_id, pieces[number].partition_id) for number in kept]
        insert_vectors(connection, next_embeddings, places, vectors[kept])

    def _progress(self, session: TimberSession, source_type: str) -> tuple[int, int]:
        chunks = self._store.chunks
        all_of_it = select(func.count()).where(chunks.c.source_type == source_type)
        done = all_of_it.where(exists().where(next_embeddings.c.chunk_id == chunks.c.chunk_id))
        return session.scalar(done) or 0, session.scalar(all_of_it) or 0

    def _take_over(self, session: TimberSession, source_type: str) -> None:
        """Put the new vectors in the place of the old; what has none yet waits for one."""
        connection = session.connection()
        begin(connection)
        source = self._source(connection, source_type)
        chunks, pending = self._store.chunks, self._store.pending
        own = self._own_keys(source_type)
        connection.execute(delete(embeddings).where(embeddings.c.chunk_id.in_(own)))
        columns = ["chunk_id", "partition_id", "embedding"]
        ready = select(*(next_embeddings.c[name] for name in columns)).where(
            next_embeddings.c.chunk_id.in_(own)
        )
        connection.execute(insert(embeddings).from_select(columns, ready))
        self._forget_next(connection, source_type)
        has_one = exists().where(embeddings.c.chunk_id == pending.c.chunk_id)
        connection.execute(delete(pending).where(pending.c.chunk_id.in_(own), has_one))
        bare = select(chunks.c.chunk_id, chunks.c.source_type).where(
            chunks.c.source_type == source_type,
            ~exists().where(embeddings.c.chunk_id == chunks.c.chunk_id),
            ~exists().where(pending.c.chunk_id == chunks.c.chunk_id),
        )
        connection.execute(
            insert(pending).from_select(["chunk_id", "source_type"], bare, include_defaults=False)
        )
        self._update_source(
            connection,
            source_type,
            model_id=source.next_model_id,
            dimension=source.next_dimension,
            next_model_id=None,
            next_dimension=None,
        )

    def _source(self, connection: Connection, source_type: str) -> Row[Any]:
        sources = self._store.sources
        found = connection.execute(
            select(sources).where(sources.c.source_type == source_type).with_for_update()
        ).first()
        if found is None:
            raise InvalidRequestError(
                f"there is no source {source_type!r}: `timber vectors status` lists them"
            )
        return found

    def _own_keys(self, source_type: str) -> Select[Any]:
        chunks = self._store.chunks
        return select(chunks.c.chunk_id).where(chunks.c.source_type == source_type)

    def _forget_next(self, connection: Connection, source_type: str) -> None:
        own = self._own_keys(source_type)
        connection.execute(delete(next_embeddings).where(next_embeddings.c.chunk_id.in_(own)))

    def _update_source(self, connection: Connection, source_type: str, **values: Any) -> None:
        sources = self._store.sources
        connection.execute(
            update(sources).where(sources.c.source_type == source_type).values(**values)
        )
