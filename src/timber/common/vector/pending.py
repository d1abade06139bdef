"""Gives vectors to the pieces that have none yet.

Who embeds pieces claims them for a while first, so that two processes do not embed the same. What
was embedded is stored only for pieces that are still there and still without a vector: a claim
that ran out costs some work, and is never seen.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, delete, or_, select, update

from timber.common.clock import Clock
from timber.common.database.service import DatabaseService
from timber.common.database.session import TimberSession
from timber.common.database.sqlite_transactions import begin, writes
from timber.common.errors import (
    EmbedderMismatchError,
    EmbedderRefusedError,
    EmbedderUnavailableError,
    FeatureUnavailableError,
    SubjectErasedError,
    TimberError,
)
from timber.common.vector.derived import not_waiting
from timber.common.vector.embedding import Embedding
from timber.common.vector.identities import Identities, Identity
from timber.common.vector.sealed_pieces import discreet
from timber.common.vector.store import Store, batches
from timber.common.vector.waiting import ALL, Wanted, named, next_attempt

PIECES: Final = 64
"""How many pieces are embedded at once."""

CLAIM_SECONDS: Final = 30
"""How long nobody else embeds what somebody has claimed."""

_OF_NO_PIECE: Final = (
    EmbedderMismatchError,
    EmbedderRefusedError,
    EmbedderUnavailableError,
    FeatureUnavailableError,
)
"""Errors that every other piece would end with, too."""


@dataclass(frozen=True)
class Claimed:
    """A piece that waits for its vector."""

    chunk_id: int
    source_type: str
    partition_id: int
    source_id: str
    ordinal: int
    content: str
    sealed: bytes | None
    attempts: int
    model_id: str | None
    dimension: int | None

    @property
    def embedder(self) -> Identity:
        """By what the vectors of its source were made, as far as that is known."""
        return Identity(self.model_id, self.dimension)


class Pending:
    """The pieces that have no vector yet."""

    def __init__(
        self,
        *,
        store: Store,
        database: DatabaseService,
        clock: Clock,
        identities: Identities,
    ) -> None:
        self._store = store
        self._database = database
        self._clock = clock
        self._identities = identities

    def embed_some(self, embedding: Callable[[], Embedding]) -> tuple[int, list[TimberError]]:
        """Embed some pieces; return how many were claimed, and what went wrong with any of them.

        None claimed: there are none, or others are at them.
        """
        claimed = self._database.run_sync(lambda session: self.claim(session.connection()))
        return len(claimed), self.embed(claimed, embedding)

    def embed(
        self, claimed: Iterable[Claimed], embedding: Callable[[], Embedding]
    ) -> list[TimberError]:
        """Embed pieces that were claimed; return what went wrong with any of them."""
        problems: list[TimberError] = []
        for source_type, pieces in groupby(claimed, key=lambda one: one.source_type):
            self._embed(source_type, list(pieces), embedding, problems)
        return problems

    def _embed(
        self,
        source_type: str,
        pieces: Sequence[Claimed],
        embedding: Callable[[], Embedding],
        problems: list[TimberError],
    ) -> None:
        try:
            embedder = embedding()
            given = Identity.of(embedder)
            if not pieces[0].embedder.fits(given):
                # Before it is paid for; others may have changed it since.
                self._database.run_sync(
                    lambda session: self._identities.require_fit(
                        session.connection(), source_type, given
                    )
                )
            vectors = embedder.of_texts(list(map(self._store.text_of, pieces)))
            self._database.run_sync(
                lambda session: self._keep(session, source_type, pieces, embedder, vectors)
            )
        except TimberError as error:
            if len(pieces) > 1 and not isinstance(error, _OF_NO_PIECE):
                # One of them may be the reason: the others need not wait with it.
                for piece in pieces:
                    self._embed(source_type, [piece], embedding, problems)
                return
            if not isinstance(error, SubjectErasedError):  # that piece is about to go, unread
                problems.append(discreet(error) if any(one.sealed for one in pieces) else error)
            failed = error
            self._database.run_sync(lambda session: self._put_off(session, pieces, failed))

    def claim(self, connection: Connection, of: Wanted = ALL) -> list[Claimed]:
        """Claim up to `PIECES` pieces, as part of the connection's transaction.

        An `owner`'s are not left to others who are at them, so that none waits when they are
        embedded, but those that failed before; what others are just storing is waited for.
        """
        made = self._store.statements.made
        is_shared = connection.dialect.name == "postgresql"
        key = ("free", of.only is None, of.owner is None, of.newest_first, is_shared)
        free = made(key, lambda: self._free(of, is_shared=is_shared))
        now = self._clock.now()
        asked: dict[str, Any] = {"now": now}
        if of.only is not None:
            asked["only"] = list(of.only)
        if of.owner is not None:
            asked["of_owner"] = of.owner
        is_free = is_shared or writes(connection)
        if not is_free and connection.scalars(free, asked).first() is None:
            return []  # without having kept anybody from writing
        begin(connection, lasts=False)
        keys = connection.scalars(free, asked).all()
        if not keys:
            return []
        until = {"until": now + timedelta(seconds=CLAIM_SECONDS), "keys": keys}
        connection.execute(made("claims", self._claims), until)
        rows = connection.execute(made("claimed", self._claimed), {"keys": keys})
        return [Claimed(*tuple(row)) for row in rows]

    def _free(self, of: Wanted, *, is_shared: bool) -> Any:
        """Return what finds free pieces, and locks them where rows can be."""
        pending = self._store.pending
        key, is_over = pending.c.chunk_id, pending.c.claimed_until <= bindparam("now")
        is_free = or_(pending.c.claimed_until.is_(None), is_over)
        if of.owner is not None:
            theirs = self._store.waits_of(bindparam("of_owner"))
            is_free = and_(or_(is_free, pending.c.attempts == 0), theirs)
        free = select(key).where(is_free).limit(PIECES)
        free = free.order_by(pending.c.attempts, key.desc() if of.newest_first else key)
        if of.only is not None:
            free = free.where(pending.c.source_type.in_(bindparam("only", expanding=True)))
        if not is_shared:
            return free
        if of.owner is None:
            return not_waiting(free).with_for_update(skip_locked=True)
        return not_waiting(self._locked(free, hold="KEY SHARE"))

    def _locked(self, keys: Any, *, hold: str) -> Select[Any]:
        """Return what finds those pieces of `keys` that wait, and locks them, on PostgreSQL.

        Who has claimed or stored one, and not committed, is waited for. Who is deleting one is
        not: that can take long, and may in turn wait for this list. All lock in one order.
        """
        pending, chunks = self._store.pending, self._store.chunks
        return (
            select(pending.c.chunk_id)
            .join(chunks, chunks.c.chunk_id == pending.c.chunk_id)
            .where(pending.c.chunk_id.in_(keys))
            .order_by(pending.c.chunk_id)
            .suffix_with(f"FOR {hold} OF {chunks.name} SKIP LOCKED FOR UPDATE OF {pending.name}")
        )

    def _claims(self) -> Any:
        pending = self._store.pending
        wanted = pending.c.chunk_id.in_(bindparam("keys", expanding=True))
        return update(pending).where(wanted).values(claimed_until=bindparam("until"))

    def _claimed(self) -> Any:
        """Return what reads pieces: the fields of `Claimed`, in their order."""
        pending, chunks, sources = self._store.pending, self._store.chunks, self._store.sources
        return (
            select(
                chunks.c.chunk_id,
                chunks.c.source_type,
                chunks.c.partition_id,
                *(chunks.c.source_id, chunks.c.ordinal, chunks.c.content, chunks.c.sealed),
                pending.c.attempts,
                *(sources.c.model_id, sources.c.dimension),
            )
            .join_from(chunks, pending, chunks.c.chunk_id == pending.c.chunk_id)
            .join(sources, sources.c.source_type == chunks.c.source_type, isouter=True)
            .where(chunks.c.chunk_id.in_(bindparam("keys", expanding=True)))
            .order_by(chunks.c.source_type, chunks.c.chunk_id)
        )

    def _keep(
        self,
        session: TimberSession,
        source_type: str,
        pieces: Sequence[Claimed],
        embedder: Embedding,
        vectors: Any,
    ) -> None:
        connection = session.connection()
        identity = Identity.of(embedder, dimension=int(vectors.shape[1]))
        begin(connection, lasts=False)
        self._identities.settle(connection, [source_type], identity)
        there = self._still_there(connection, [one.chunk_id for one in pieces])
        kept = [number for number, one in enumerate(pieces) if one.chunk_id in there]
        places = [(pieces[number].chunk_id, pieces[number].partition_id) for number in kept]
        self._store.add_vectors(connection, places, vectors[kept])

    def _still_there(self, connection: Connection, keys: Sequence[int]) -> frozenset[int]:
        """Take pieces off the list, and return those that were on it."""
        pending, made = self._store.pending, self._store.statements.made
        given: Any = bindparam("keys", expanding=True)
        if connection.dialect.name == "postgresql":
            # Held, so that none goes meanwhile or gets other metadata.
            held = made("held pieces", lambda: not_waiting(self._locked(given, hold="SHARE")))
            keys = connection.scalars(held, {"keys": keys}).all()

        def struck() -> Any:
            wanted = pending.c.chunk_id.in_(given)
            return delete(pending).where(wanted).returning(pending.c.chunk_id)

        return frozenset(connection.scalars(made("struck pieces", struck), {"keys": keys}))

    def _put_off(
        self, session: TimberSession, pieces: Sequence[Claimed], error: TimberError
    ) -> None:
        pending = self._store.pending
        now = self._clock.now()
        for attempts, some in groupby(
            sorted(pieces, key=lambda one: one.attempts), key=lambda one: one.attempts
        ):
            for keys in batches((one.chunk_id for one in some), PIECES):
                session.connection().execute(
                    update(pending).where(pending.c.chunk_id.in_(keys)),
                    {
                        "attempts": attempts + 1,
                        "claimed_until": next_attempt(now, attempts),
                        "problem": named(error),
                    },
                )
