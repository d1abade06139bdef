"""By what embedder the vectors of each source are made, so that none are ever mixed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, cast, or_, select, update
from typing_extensions import override

from timber.common.clock import Clock
from timber.common.errors import EmbedderMismatchError
from timber.common.ids import IdFactory
from timber.common.vector.embedding import Embedding
from timber.common.vector.store import Store, ignoring_duplicates
from timber.common.vector.tables import embeddings


@dataclass(frozen=True)
class Identity:
    """An embedder, as far as it says what it is."""

    model_id: str | None
    dimension: int | None

    @classmethod
    def of(cls, embedding: Embedding, *, dimension: int | None = None) -> "Identity":
        """Return what an embedder is; `dimension` is that of vectors which it gave."""
        return cls(embedding.model_id, dimension or embedding.dimension)

    def fits(self, other: "Identity") -> bool:
        """Tell whether vectors of both can be compared, as far as they say what they are."""
        same_model = None in {self.model_id, other.model_id} or self.model_id == other.model_id
        same_size = None in {self.dimension, other.dimension} or self.dimension == other.dimension
        return same_model and same_size

    @override
    def __str__(self) -> str:
        size = f"{self.dimension} numbers" if self.dimension else "an unknown size"
        return f"{self.model_id or 'one without a name'} ({size})"


def stored_identity(row: Row[Any] | None) -> Identity:
    """Return what a row of `vector_sources` says; of none, an identity that fits any."""
    return Identity(None, None) if row is None else Identity(row.model_id, row.dimension)


class Identities:
    """What `vector_sources` says of embedders."""

    def __init__(self, *, store: Store, clock: Clock, new_id: IdFactory) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    def require_fit(self, connection: Connection, source_type: str, given: Identity) -> None:
        """Do nothing, if an embedder fits the vectors that a source has, or may get the first.

        Raises:
            EmbedderMismatchError: they were made by another.

        """
        stored = stored_identity(self._row(connection, source_type))
        if not stored.fits(given) and self._has_vectors(connection, source_type):
            raise EmbedderMismatchError(source_type, stored=str(stored), given=str(given))

    def settle(self, connection: Connection, source_types: Iterable[str], given: Identity) -> None:
        """Note by what embedder vectors are made that are about to be stored.

        Until the transaction ends nobody changes it.

        Raises:
            EmbedderMismatchError: those that are there were made by another.

        """
        for source_type in sorted(set(source_types)):
            if self._is_held(connection, source_type, given):
                continue
            # Nothing is held by now: of two who hold it in common, neither could change it.
            stored = stored_identity(self._row(connection, source_type))
            if stored.dimension is None:
                self._settle_first(connection, source_type, given)
            else:
                self._replace(connection, source_type, given)

    def _settle_first(self, connection: Connection, source_type: str, given: Identity) -> None:
        row = {
            "source_type": source_type,
            "version": self._new_id(),
            "created_at": self._clock.now(),
        }
        connection.execute(ignoring_duplicates(connection, self._store.sources), [row])
        self._replace(connection, source_type, given)

    def _replace(self, connection: Connection, source_type: str, given: Identity) -> None:
        """Note the embedder of a source that has no vectors; of one that has, it must fit."""
        stored = stored_identity(self._row(connection, source_type, lock=True))
        if stored.dimension is not None and self._has_vectors(connection, source_type):
            if not stored.fits(given):
                raise EmbedderMismatchError(source_type, stored=str(stored), given=str(given))
            return
        sources = self._store.sources
        connection.execute(
            update(sources).where(sources.c.source_type == source_type),
            {"model_id": given.model_id, "dimension": given.dimension},
        )

    def _row(
        self, connection: Connection, source_type: str, *, lock: bool = False
    ) -> Row[Any] | None:
        sources = self._store.sources
        statement = select(sources).where(sources.c.source_type == source_type)
        # As its change does: who only names the source in a row of theirs need not wait.
        held = statement.with_for_update(key_share=True) if lock else statement
        return connection.execute(held).first()

    def _is_held(self, connection: Connection, source_type: str, given: Identity) -> bool:
        """Tell whether the vectors of a source are known to be of such; then nobody changes it."""
        sources = self._store.sources
        is_shared = connection.dialect.name == "postgresql"

        def held() -> Any:
            model_id = bindparam("by_model", type_=sources.c.model_id.type)
            fits = or_(sources.c.model_id == model_id, sources.c.model_id.is_(None))
            statement = select(sources.c.source_type).where(
                sources.c.source_type == bindparam("of_type"),
                sources.c.dimension == bindparam("of_size"),
                or_(fits, cast(model_id, sources.c.model_id.type).is_(None)),
            )
            return statement.with_for_update(read=True) if is_shared else statement

        statement = self._store.statements.made(("held", is_shared), held)
        asked = {"of_type": source_type, "of_size": given.dimension, "by_model": given.model_id}
        return connection.execute(statement, asked).first() is not None

    def _has_vectors(self, connection: Connection, source_type: str) -> bool:
        chunks = self._store.chunks
        one = (
            select(embeddings.c.chunk_id)
            .join_from(chunks, embeddings, chunks.c.chunk_id == embeddings.c.chunk_id)
            .where(chunks.c.source_type == source_type)
            .limit(1)
        )
        return connection.execute(one).first() is not None
