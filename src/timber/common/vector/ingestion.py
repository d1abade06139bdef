"""Takes texts in, so that they are found: documents that are handed in, and rows of models."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Select, bindparam, delete, false, select, true

from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.database.sqlite_transactions import begin
from timber.common.errors import InvalidRequestError, NotOpenError, TimberError
from timber.common.ids import IdFactory
from timber.common.vector.base import Embedder, OnProgress
from timber.common.vector.chunking import Budget, budget_of, chunks_of
from timber.common.vector.documents import Document, Ingested, document_from, name_of
from timber.common.vector.embedders.words_only import WordsOnly
from timber.common.vector.embedding import Embedding
from timber.common.vector.identities import Identities, Identity
from timber.common.vector.outbox import Outbox, WorkedOff
from timber.common.vector.pending import PIECES, Claimed, Pending
from timber.common.vector.reembedding import Reembedded, Reembedding
from timber.common.vector.row_triggers import listing
from timber.common.vector.rows import RowSource
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.sources import SourceStatus, named_sources, read_status
from timber.common.vector.storage import require_storage
from timber.common.vector.store import Pieces, Store
from timber.common.vector.waiting import ALL, Processed, Wanted, counted, counting

ROWS_FIRST: Final = 1_024
"""How many rows are read at most where not all is to be done."""


class VectorIngestionService:
    """Keeps texts and their vectors: those of documents, and those of rows with the flag.

    The same document again takes the place of the former. Rows are followed by triggers, so
    whatever writes them is seen; their vectors come a moment later, from `process_pending`, which
    a thread of the Timber calls where `enable_auto_vector_ingestion` is on.
    """

    embedding_service: Embedder
    """By what texts become vectors; another can be put in its place at any time."""

    def __init__(
        self,
        *,
        database: DatabaseService,
        metadata: MetaData,
        clock: Clock,
        new_id: IdFactory,
        seals: PieceSeals,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = Store(metadata, new_id=new_id, seals=seals)
        self._identities = Identities(store=self._store, clock=clock, new_id=new_id)
        self._outbox = Outbox(store=self._store, clock=clock, budget=self._budget, seals=seals)
        self._pending = Pending(
            store=self._store, database=database, clock=clock, identities=self._identities
        )
        self._rows: Mapping[str, RowSource] | None = None

    # ------------------------------------------------------------------ open and close

    def open(
        self, *, rows: Mapping[str, RowSource], embedder: Embedder, complete: bool = True
    ) -> None:
        """Follow the rows of the models that have the flag.

        `complete` says that the tables should be there by now.

        Raises:
            FeatureUnavailableError: the database cannot keep vectors, and a model needs it.

        """
        if rows and complete:
            require_storage(
                self._database.engine, ", ".join(one.model.__name__ for one in rows.values())
            )
        self._store.statements.clear()
        self.embedding_service = embedder
        self._rows = dict(rows)

    def close(self) -> None:
        """Follow no rows any more."""
        self._rows = None

    @property
    def follows_rows(self) -> bool:
        return bool(self._rows)

    @property
    def row_sources(self) -> Mapping[str, RowSource]:
        """The models that have the flag, by the name that their rows have in searches.

        Raises:
            NotOpenError: the Timber is not open.

        """
        if self._rows is None:
            raise NotOpenError
        return self._rows

    @property
    def sealed_types(self) -> frozenset[str]:
        """What the rows are called in searches whose texts are encrypted."""
        return frozenset(name for name, one in self.row_sources.items() if one.watched.is_sealed)

    # ------------------------------------------------------------------ documents

    def ingest_document(  # noqa: PLR0913 - what the guide calls it with, and what is known of a text
        self,
        content: str,
        source_type: str,
        source_id: str,
        metadata: Mapping[str, Any] | None = None,
        *,
        owner: str | None = None,
        importance: float | None = None,
        occurred_at: datetime | None = None,
    ) -> Ingested:
        """Store a text with its vectors, in the place of what had its key; all of it or nothing.

        Raises:
            InvalidRequestError: an argument cannot be used.
            EmbeddingError: the text could not be embedded, or not by this embedder.
            DatabaseError: the database refused something.

        """
        given = {
            "content": content,
            "source_type": source_type,
            "source_id": source_id,
            "metadata": metadata,
            "owner": owner,
            "importance": importance,
            "occurred_at": occurred_at,
        }
        [done] = self._ingest([document_from(given, which="ingest_document")])
        return done

    def ingest_documents_batch(self, documents: Iterable[Mapping[str, Any]]) -> list[Ingested]:
        """Store many texts, each a mapping with what `ingest_document` takes; all or none.

        Returns one result for each, in their order; of two with one key, the last is kept.
        Raises what `ingest_document` raises.
        """
        return self._ingest(
            [
                document_from(one, which=f"document {number}")
                for number, one in enumerate(documents, 1)
            ]
        )

    def delete_document(self, source_type: str, source_id: str) -> bool:
        """Delete a document and all that was made of it; return whether it was there.

        Raises:
            InvalidRequestError: it is the row of a model: delete that.

        """
        key = (name_of(source_type, "source_type"), name_of(source_id, "source_id"))
        self._refuse_rows([source_type])
        return self._database.run_sync(
            lambda session: self._store.remove(self._writing(session), [key]) > 0
        )

    def delete_owner(self, owner: str, *, source_type: str | None = None) -> int:
        """Delete all that was made of an owner's texts; return how many pieces that were.

        For erasure: nothing of it stays, neither words nor vectors, nor the owner's name. Rows of
        models stay, and are read again when they are written again: delete those first.
        """
        name_of(owner, "owner")

        def work(session: TimberSession) -> int:
            connection = self._writing(session)
            partitions, chunks = self._store.partitions, self._store.chunks
            condition = partitions.c.owner == owner
            if source_type is not None:
                condition &= partitions.c.source_type == source_type
            keys = connection.scalars(select(partitions.c.partition_id).where(condition)).all()
            gone = connection.execute(delete(chunks).where(chunks.c.partition_id.in_(keys)))
            connection.execute(delete(partitions).where(partitions.c.partition_id.in_(keys)))
            return int(gone.rowcount)

        return self._database.run_sync(work)

    def delete_source(self, source_type: str) -> int:
        """Delete every document of a source; return how many pieces that were.

        Raises:
            InvalidRequestError: they are the rows of a model: delete those.

        """
        name_of(source_type, "source_type")
        self._refuse_rows([source_type])

        def work(session: TimberSession) -> int:
            connection = self._writing(session)
            gone = 0
            for table in (self._store.chunks, self._store.partitions, self._store.sources):
                count = connection.execute(
                    delete(table).where(table.c.source_type == source_type)
                ).rowcount
                gone = count if table is self._store.chunks else gone
            return gone

        return self._database.run_sync(work)

    # ------------------------------------------------------------------ what is waiting

    def process_pending(
        self,
        source_type: str | None = None,
        *,
        limit: int | None = None,
        owner: str | None = None,
    ) -> Processed:
        """Read the rows that were written, and embed what has no vector yet.

        All of it; with a `limit`, the `ROWS_FIRST` rows that were written last, and then the
        newest pieces, until so many were embedded. Any number of threads and processes may do
        so at once: each takes what no other has. Of an `owner` only what is theirs and was
        written last, and what others have just taken, too. With the embedder `none` rows are read.

        Raises:
            EmbeddingError: some could not be embedded; they are tried again later.
            DatabaseError: the database refused something.

        """
        only = None if source_type is None else [source_type]
        of = Wanted(only=only, owner=owner, newest_first=limit is not None)
        rows = chunks = 0
        problems: list[TimberError] = []
        is_all = False
        while not is_all and (limit is None or chunks < limit):
            read, claimed = self._take(of, last=None if limit is None else ROWS_FIRST - rows)
            problems += self._pending.embed(claimed, self._embedding)
            rows, chunks = rows + read.rows, chunks + len(claimed)
            is_all = not read.is_more and len(claimed) < PIECES
        if problems:
            raise problems[0]
        return Processed(rows=rows, chunks=chunks)

    def process_some(self) -> bool:
        """Do one bit of `process_pending`; return whether there may be more to do.

        Raises what that raises.
        """
        read = self._database.run_sync(self._read_rows)
        if not read.is_all:
            return True  # words first
        if not self._embeds:
            return read.rows > 0
        claimed, problems = self._pending.embed_some(self._embedding)
        if problems:
            raise problems[0]
        return read.rows + claimed > 0

    def backfill(self, source_type: str | None = None) -> int:
        """Put all rows of the models on the list, to be read again; return how many.

        What has not changed keeps its vectors.

        Raises:
            InvalidRequestError: no model has that name in searches.

        """
        sources = named_sources(self.row_sources, source_type)

        def work(session: TimberSession) -> int:
            connection = self._writing(session)
            return sum(
                connection.exec_driver_sql(listing(one.watched, connection.dialect)).rowcount
                for one in sources
            )

        return self._database.run_sync(work)

    def reembed(self, source_type: str, *, on_progress: OnProgress | None = None) -> Reembedded:
        """Give a source the vectors of `embedding_service`, whatever made those it has.

        The old vectors answer until all of the new ones are there, to those who search by the old
        embedder. Stopped meanwhile, the next call goes on.

        Raises:
            InvalidRequestError: there is no such source.
            EmbeddingError: a text could not be embedded.

        """
        require_storage(self._database.engine, "finding by meaning")
        reembedding = Reembedding(database=self._database, store=self._store)
        return reembedding.run(source_type, self._embedding(), on_progress)

    def waiting(
        self, connection: Connection, source_types: Collection[str] | None, owner: str | None
    ) -> dict[str, int]:
        """Return how many rows are unread, and pieces without a vector, of each source.

        Of an owner, as `process_pending` would do them. Without an embedder no piece waits.
        """
        of, store = None if source_types is None else tuple(sorted(source_types)), self._store

        def lists() -> list[Select[Any]]:
            whose: Any = bindparam("of_owner")
            unread = self._outbox.listed(self.row_sources.values(), whose) if owner else true()
            waits = (store.waits_of(whose) if owner else true()) if self._embeds else false()
            return [counting(store.outbox, unread, of), counting(store.pending, waits, of)]

        made = store.statements.made(("waiting", of, bool(owner), self._embeds), lists)
        return counted(connection, made, {"of_owner": owner} if owner else {})

    def status(self) -> list[SourceStatus]:
        """Tell of each source what is stored of it, what waits, and what failed."""
        return self._database.run_sync(
            lambda session: read_status(session.connection(), self._store, self.row_sources)
        )

    # ------------------------------------------------------------------ the parts

    def _ingest(self, documents: Sequence[Document]) -> list[Ingested]:
        self._refuse_rows({one.source_type for one in documents})
        latest = {one.key: one for one in documents}
        texts = [
            Pieces(one, tuple(chunks_of(one.content, budget_of(self.embedding_service))))
            for one in latest.values()
        ]
        contents = [content for one in texts for content in one.contents]
        embedding = self._embedding()
        types = sorted({one.document.source_type for one in texts})
        self._database.run_sync(lambda session: self._check(session, types, embedding))
        vectors = embedding.of_texts(contents)
        identity = Identity.of(embedding, dimension=int(vectors.shape[1]) or None)

        def work(session: TimberSession) -> None:
            connection = self._writing(session)
            now = self._clock.now()
            self._store.lock(connection, latest)
            if contents:
                self._identities.settle(connection, types, identity)
            pieces = self._store.replace(connection, texts, now=now)
            places = [(one.chunk_id, one.partition_id) for one in pieces]
            self._store.add_vectors(connection, places, vectors)

        self._database.run_sync(work)
        counts = {one.document.key: len(one.contents) for one in texts}
        return [Ingested(*one.key, chunks=counts[one.key]) for one in documents]

    def _check(
        self, session: TimberSession, source_types: Sequence[str], embedding: Embedding
    ) -> None:
        require_storage(self._database.engine, "finding by meaning")
        identity = Identity.of(embedding)
        for source_type in source_types:
            self._identities.require_fit(session.connection(), source_type, identity)

    def _take(self, of: Wanted, *, last: int | None) -> tuple[WorkedOff, list[Claimed]]:
        """Read some rows that were written, or claim some pieces when all were; as one."""

        def work(session: TimberSession) -> tuple[WorkedOff, list[Claimed]]:
            read = self._read_rows(session, of, last=last)
            if read.is_more or not self._embeds:
                return read, []  # words first: they take a fraction of the time
            return read, self._pending.claim(session.connection(), of)

        return self._database.run_sync(work)

    def _read_rows(
        self, session: TimberSession, of: Wanted = ALL, *, last: int | None = None
    ) -> WorkedOff:
        return self._outbox.work_off(session.connection(), self.row_sources, of, last=last)

    @property
    def _embeds(self) -> bool:
        return not isinstance(self.embedding_service, WordsOnly)

    def _embedding(self) -> Embedding:
        return Embedding(self.embedding_service)

    def _budget(self, source: RowSource) -> Budget:
        return budget_of(self.embedding_service).capped(source.wanted.chunk_tokens)

    def _writing(self, session: TimberSession) -> Any:
        connection = session.connection()
        begin(connection)
        return connection

    def _refuse_rows(self, source_types: Iterable[str]) -> None:
        for source_type in source_types:
            if (found := self.row_sources.get(source_type)) is not None:
                raise InvalidRequestError(
                    f"{source_type!r} are the rows of {found.model.__name__}, which are found as "
                    "they are: write or delete the row, or use another source_type"
                )
