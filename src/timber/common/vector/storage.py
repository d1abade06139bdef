"""Everything that is attached to the tables of texts and vectors themselves."""

from sqlalchemy import Engine

from timber.common.database.attachments import Attachments, read_catalog
from timber.common.errors import FeatureUnavailableError
from timber.common.vector.fulltext_tables import attach_fulltext
from timber.common.vector.postgresql_tables import attach_postgresql
from timber.common.vector.tables import EMBEDDINGS, attach_embeddings


def attach_storage(known: Attachments) -> None:
    """Let `vector_chunks` have its vectors and its full text beside it."""
    attach_embeddings(known)
    attach_fulltext(known)
    attach_postgresql(known)


def require_storage(engine: Engine, what: str) -> None:
    """Do nothing if the database can keep vectors.

    Raises:
        FeatureUnavailableError: it cannot, and `what` needs it.

    """
    with engine.connect() as connection:
        if EMBEDDINGS in read_catalog(connection).names:
            return
    raise FeatureUnavailableError(
        f"{what}: the table {EMBEDDINGS!r}",
        cure="PostgreSQL needs the extension pgvector: install it on the server, let a "
        "superuser run CREATE EXTENSION vector, and create or migrate the tables",
    )
