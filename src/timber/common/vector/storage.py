"""Everything that is attached to the tables of texts and vectors themselves."""

from timber.common.database.attachments import Attachments
from timber.common.vector.fulltext_tables import attach_fulltext
from timber.common.vector.postgresql_tables import attach_postgresql
from timber.common.vector.tables import attach_embeddings


def attach_storage(known: Attachments) -> None:
    """Let `vector_chunks` have its vectors and its full text beside it."""
    attach_embeddings(known)
    attach_fulltext(known)
    attach_postgresql(known)
