"""Finds texts by what they mean and by their words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import Connection, MetaData, select

from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.errors import EmbeddingError, EncryptionError, NotOpenError, RecordNotFoundError
from timber.common.ids import IdFactory
from timber.common.vector.answers import Answer, Answers, unlike
from timber.common.vector.base import Embedder, Hit, PreparedSearch
from timber.common.vector.candidates import Found, Legs, candidates, read_pieces
from timber.common.vector.embedders.words_only import WordsOnly
from timber.common.vector.embedding import Embedding
from timber.common.vector.fusion import TEXT, by_words_found, fuse
from timber.common.vector.identities import Identities, Identity
from timber.common.vector.indexes import Indexes, indexes_of
from timber.common.vector.ingestion import VectorIngestionService
from timber.common.vector.questions import (
    HALF_LIFE_DAYS,
    Manner,
    Question,
    question,
    searched_text,
)
from timber.common.vector.scopes import pieces
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.shortlist import Shortlist, Waiting, prepared, shortlisted
from timber.common.vector.steps import Steps
from timber.common.vector.store import Store
from timber.common.vector.stored_vectors import mean_of, read_vectors
from timber.common.vector.words import share_of

if TYPE_CHECKING:
    from timber.common.vector.base import Vectors

Result = TypeVar("Result")

PENDING_FIRST: Final = 64
"""How many pieces that wait for their vectors a search embeds at most, the newest, before."""
_COMPARED: Final = 5
"""With `diversity`, so many times the limit are looked at."""

_GRAPH_FROM: Final = 1_000_000


class VectorSearchService:
    """Searches the documents that were ingested, and the rows of models with the flag.

    What was written before a search is found by it: what waits is read first, by what was written
    last, and of that up to `PENDING_FIRST` pieces are embedded; where an owner's are searched,
    that owner's alone.
    `explain` tells how many wait beyond.
    """

    embedding_service: Embedder
    """By what a query becomes a vector; it should be the one that embeds the texts."""

    def __init__(
        self,
        *,
        database: DatabaseService,
        metadata: MetaData,
        clock: Clock,
        new_id: IdFactory,
        ingestion: VectorIngestionService,
        seals: PieceSeals,
    ) -> None:
        self._database = database
        self._store = Store(metadata, new_id=new_id, seals=seals)
        self._identities = Identities(store=self._store, clock=clock, new_id=new_id)
        self._clock = clock
        self._ingestion = ingestion
        self._memory_bytes: int | None = None
        self._graph_from = _GRAPH_FROM
        self._indexes: Indexes | None = None

    def open(
        self, *, embedder: Embedder, memory_bytes: int, graph_from: int = _GRAPH_FROM
    ) -> None:
        """Search with an embedder.

        On SQLite, keep so many bytes of vectors in memory, and search so many by a graph.
        """
        self.embedding_service = embedder
        self._memory_bytes = memory_bytes
        self._graph_from = graph_from

    def close(self) -> None:
        """Forget what is in memory."""
        if self._indexes is not None:
            self._indexes.vectors.close()
        self._memory_bytes = self._indexes = None

    # ------------------------------------------------------------------ what can be asked

    def search(  # noqa: PLR0913 - what the guide calls it with, and how results are weighed
        self,
        query: str,
        source_type: str | Sequence[str] | None = None,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
        *,
        owner: str | None = None,
        weights: Mapping[str, float] | None = None,
        recency: float = 0.0,
        importance: float = 0.0,
        half_life_days: float = HALF_LIFE_DAYS,
        diversity: float = 0.0,
        as_of: datetime | None = None,
        explain: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the documents that fit best, as dicts, the best first.

        Each has `content` (its piece that fits best), `metadata`, `source_type`, `source_id` and
        `score` (from 0 to 1; comparable within one search), with `explain` what it is made of,
        too. There are `limit` of them whenever so many have a vector and lie in the scope.

        `source_type`: one or several kinds of texts; all when left out. `filters`: what the
        metadata must be like (`filter_reader.py`). `owner`: whose texts; of all when left out, of
        nobody when empty. `weights`: of `dense` (meaning) and `text` (words); one that is left
        out counts nothing, and without any they follow the query (`fusion.py`). `recency` and
        `importance`: their weights beside these; a document ages by half in `half_life_days`, as
        seen from `as_of`, or else from now.
        `diversity`: from 0, as relevant as can be, to 1, as different (`diversity.py`).

        Raises:
            InvalidRequestError: an argument cannot be used.
            EmbeddingError: the query could not be embedded, or by another embedder than the texts.
            DatabaseError: the database refused something.

        """
        manner = Manner(weights, recency, importance, half_life_days, diversity, as_of)
        asked = self._question(source_type, limit, filters, owner, manner)
        answers = self._answers(asked, text=searched_text(query))
        return answers.as_results(explain=explain)

    def more_like_this(  # noqa: PLR0913 - as `search`
        self,
        source_type: str,
        source_id: str,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
        *,
        among: str | Sequence[str] | None = None,
        owner: str | None = None,
        weights: Mapping[str, float] | None = None,
        recency: float = 0.0,
        importance: float = 0.0,
        half_life_days: float = HALF_LIFE_DAYS,
        diversity: float = 0.0,
        as_of: datetime | None = None,
        explain: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the documents that are most like one, which is none of them; as `search` does.

        They are searched `among` these kinds of texts; among those of its own when left out.
        Nothing is embedded but what waits for it.

        Raises:
            RecordNotFoundError: there is no such document, or it is blank.
            InvalidRequestError: an argument cannot be used.
            DatabaseError: the database refused something.

        """
        manner = Manner(weights, recency, importance, half_life_days, diversity, as_of)
        asked = self._question(
            source_type if among is None else among, limit, filters, owner, manner
        )
        asked = replace(asked, without=(source_type, source_id))
        return self._answers(asked).as_results(explain=explain)

    def explain(
        self,
        query: str,
        source_type: str | Sequence[str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Return what `search` finds, each with what its score is made of, and how it was sought.

        Takes what `search` takes, and raises what it raises.
        """
        options.pop("explain", None)
        limit, filters = options.pop("limit", 10), options.pop("filters", None)
        owner = options.pop("owner", None)
        asked = self._question(source_type, limit, filters, owner, Manner(**options))
        return self._answers(asked, text=searched_text(query)).explained(query)

    def shortlist(
        self,
        query: str,
        source_type: str,
        *,
        owner: str,
        depth: int,
        weigh: Callable[[Shortlist], Steps[Result]],
        with_others: bool = False,
    ) -> Result:
        """Return what `weigh` makes of the texts of an owner that answer best.

        For callers who weigh by themselves: it gets the ids of the `depth` pieces that are
        nearest, where there is an embedder, and of as many that match by their words, with
        their shares, and asks in steps what else it must know: as it may be called again, when
        some of these have just gone, it should do nothing but that.
        What was written before is found: it is taken in, where anything of the owner's waits;
        `with_others`, all that waits is, which is less work in the end where nobody else takes
        it in, and more for this one search.

        Raises:
            InvalidRequestError: an argument cannot be used.
            EmbeddingError: the query could not be embedded, or by another embedder than the texts.
            DatabaseError: the database refused something.

        """
        asked = self._question(source_type, depth, None, owner, Manner())
        text = searched_text(query)
        embedding = Embedding(self.embedding_service)
        by_meaning = not isinstance(self.embedding_service, WordsOnly)
        vector = embedding.of_query(text) if by_meaning else None
        nothing = Identity(None, None)
        given = nothing if vector is None else Identity.of(embedding, dimension=len(vector))

        def work(session: TimberSession, *, may_wait: bool) -> Result | Waiting:
            connection, scope = session.connection(), asked.scope(source_type)
            legs = self._legs(connection, asked, text=text, vector=vector)
            ahead = legs.ahead(scope, depth)

            def ask() -> tuple[PreparedSearch | None, list[Hit]] | Waiting:
                outset = prepared(legs, scope, depth=depth, ahead=ahead)
                is_waiting = may_wait and outset.state.anything_waits(vectors=by_meaning)
                if is_waiting and (waiting := self._waiting(connection, asked)):
                    ahead.stop()
                    return Waiting(waiting)
                if not outset.state.identity.fits(given):
                    self._identities.require_fit(connection, source_type, given)
                return outset.meaning, outset.matching()

            # Very many vectors are compared while the database looks for the words.
            found = ahead.beside(ask)
            if isinstance(found, Waiting):
                return found
            return shortlisted(connection, *found, weigh)

        found = self._database.run_sync(partial(work, may_wait=True))
        if isinstance(found, Waiting):
            if with_others:
                self._process([source_type], None, limit=None)
            else:
                self._process(found.pieces, owner)
            found = self._database.run_sync(partial(work, may_wait=False))
        assert not isinstance(found, Waiting)  # noqa: S101 - nothing was to be waited for
        return found

    # ------------------------------------------------------------------ how it is answered

    def _question(
        self,
        source_type: str | Sequence[str] | None,
        limit: int,
        filters: Mapping[str, Any] | None,
        owner: str | None,
        manner: Manner,
    ) -> Question:
        return question(
            source_type=source_type,
            limit=limit,
            filters=filters,
            owner=owner,
            manner=manner,
            now=self._clock.now(),
        )

    def _answers(self, asked: Question, *, text: str | None = None) -> Answers:
        """Search by a text, or by the document that the question names."""
        waiting = self._database.run_sync(
            lambda session: self._waiting(session.connection(), asked)
        )
        if waiting:
            self._process(waiting, asked.owner)
        embedding = Embedding(self.embedding_service)
        by_meaning = asked.weights.dense > 0
        vector = embedding.of_query(text) if text is not None and by_meaning else None

        def work(session: Any) -> Answers:
            connection = session.connection()
            known = self._source_types(connection, asked)
            if vector is not None:
                identity = Identity.of(embedding, dimension=len(vector))
                for name in known:
                    self._identities.require_fit(connection, name, identity)
            legs = self._legs(connection, asked, text=text, vector=vector)
            found = candidates(legs, asked, known)
            weighed = self._weighed(found, asked, text)
            answers = self._ranked(legs, found, weighed)
            return Answers(weighed, answers, tuple(known), self._waiting(connection, asked))

        return self._database.run_sync(work)

    def _legs(
        self,
        connection: Connection,
        asked: Question,
        *,
        text: str | None,
        vector: "Vectors | None",
    ) -> Legs:
        indexes = self._opened(connection)
        if text is None and asked.without is not None:
            text, vector = self._of_document(connection, asked.without)
        return Legs(
            connection=connection,
            vectors=indexes.vectors,
            full_text=indexes.full_text,
            vector=vector,
            text=text,
            seals=self._store.seals,
            sealed_types=self._ingestion.sealed_types,
        )

    def _of_document(
        self, connection: Connection, key: tuple[str, str]
    ) -> "tuple[str, Vectors | None]":
        """Return the text of a document, and the mean direction of its vectors.

        Raises:
            RecordNotFoundError: there is none.
            EncryptionError: it cannot be opened.

        """
        source_type, source_id = key
        parts = read_pieces(
            connection, pieces.c.source_type == source_type, pieces.c.source_id == source_id
        )
        if not parts:
            raise RecordNotFoundError(f"{source_type} with a text", source_id)
        text = "\n".join(map(self._store.text_of, parts))
        vectors = read_vectors(connection, (part.chunk_id for part in parts))
        return text, mean_of(list(vectors.values())) if vectors else None

    def _weighed(self, found: Found, asked: Question, text: str | None) -> Question:
        """Return a question with the weights that its text calls for, if it names none."""
        best = next(iter(found.legs.get(TEXT, {}).values()), None)
        if asked.is_weighed or text is None or best is None:
            return asked
        share = share_of(text, self._store.text_of(found.pieces[best.chunk_id]))
        return replace(asked, weights=by_words_found(asked.weights, share))

    def _ranked(self, legs: Legs, found: Found, asked: Question) -> list[Answer]:
        ranked = fuse(found.legs, found.facts, weights=asked.weights, recency=asked.recency)
        answers = [Answer(found.pieces[one.chunk_id], one) for one in ranked.values()]
        if asked.diversity:
            compared = answers[: _COMPARED * asked.limit]
            answers = unlike(legs.connection, compared, asked.diversity, limit=asked.limit)
        return [self._opened_answer(one) for one in answers[: asked.limit]]

    def _opened_answer(self, answer: Answer) -> Answer:
        if answer.piece.sealed is None:
            return answer
        piece = replace(answer.piece, content=self._store.text_of(answer.piece))
        return replace(answer, piece=piece)

    def _opened(self, connection: Connection) -> Indexes:
        if self._memory_bytes is None:
            raise NotOpenError
        if self._indexes is None:
            self._indexes = indexes_of(
                connection.dialect.name,
                memory_bytes=self._memory_bytes,
                graph_from=self._graph_from,
            )
        return self._indexes

    def _source_types(self, connection: Connection, asked: Question) -> list[str]:
        """Return the sources of a question that have any text."""
        names = self._store.sources.c.source_type
        statement = select(names).order_by(names)
        if asked.source_types is not None:
            statement = statement.where(names.in_(asked.source_types))
        return list(connection.scalars(statement))

    # ------------------------------------------------------------------ what is waiting

    def _waiting(self, connection: Connection, asked: Question) -> dict[str, int]:
        return self._ingestion.waiting(connection, asked.source_types, asked.owner)

    def _process(
        self, waiting: Iterable[str], owner: str | None, *, limit: int | None = PENDING_FIRST
    ) -> None:
        for name in waiting:
            try:
                self._ingestion.process_pending(name, limit=limit, owner=owner)
            except (EmbeddingError, EncryptionError):
                # Of that text `status` tells, and it is tried again. The others can be found.
                continue
