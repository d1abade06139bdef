"""By what embedder the vectors of each source are made, so that none are ever mixed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update

from timber.common.errors import EmbedderMismatchError
from timber.common.ids import IdFactory
from timber.common.vector.embedding import Embedding
from timber.common.vector.store import ignoring_duplicates


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

    def __str__(self) -> str:
        size = f"{self.dimension} numbers" if self.dimension else "an unknown size"
        return f"{self.model_id or 'one without a name'} ({size})"


def stored_identity(row: Row[Any] | None) -> Identity:
    """Return what a row of `vector_sources` says; of none, an identity that fits any."""
    return Identity(None, None) if row is None else Identity(row.model_id, row.dimension)


def require_fit(connection: Connection, sources: Table, source_type: str, given: Identity) -> None:
    """Raise an EmbedderMismatchError if an embedder is another than that of the stored vectors."""
    row = connection.execute(select(sources).where(sources.c.source_type == source_type)).first()
    _refuse(source_type, stored_identity(row), given)


def settle(
    connection: Connection,
    sources: Table,
    source_types: Iterable[str],
    given: Identity,
    *,
    now: datetime,
    new_id: IdFactory,
) -> None:
    """Note by what embedder vectors are made that are about to be stored.

    Until the transaction ends nobody changes it.

    Raises:
        EmbedderMismatchError: those that are there were made by another.

    """
    for source_type in sorted(set(source_types)):
        this = sources.c.source_type == source_type
        found = connection.execute(_held(select(sources).where(this), connection)).first()
        if found is None:
            row = {"source_type": source_type, "version": new_id(), "created_at": now}
            connection.execute(ignoring_duplicates(connection, sources), [row])
            found = connection.execute(_held(select(sources).where(this), connection)).first()
        if found is not None and found.dimension is None:
            said = {"model_id": given.model_id, "dimension": given.dimension}
            connection.execute(update(sources).where(this, sources.c.dimension.is_(None)), said)
            found = connection.execute(select(sources).where(this)).first()
        _refuse(source_type, stored_identity(found), given)


def _held(statement: Any, connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        return statement.with_for_update(read=True)
    return statement


def _refuse(source_type: str, stored: Identity, given: Identity) -> None:
    if not stored.fits(given):
        raise EmbedderMismatchError(source_type, stored=str(stored), given=str(given))
