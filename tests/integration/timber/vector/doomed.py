"""Writes notes and works off what is waiting, until it kills itself before its n-th statement."""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event, text
from tests.integration.timber.vector.conftest import settings_of
from tests.integration.timber.vector.hashing import Hashing

from timber.common.runtime import Timber


def main(database_url: str, folder: str, at: int) -> None:
    """Live until then."""
    with Timber().opened(settings_of(database_url, Path(folder))) as timber:
        timber.vector_ingestion.embedding_service = Hashing()
        left = at

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        for moment in ("before_cursor_execute", "commit"):
            event.listen(timber.database.engine, moment, count)
        note = timber.models.get("Note")
        ingestion = timber.vector_ingestion
        with timber.database.session_scope() as session:
            session.add_all(
                note(id=str(number), body=f"note {number}. " * 400) for number in "123"
            )
        ingestion.process_pending()
        ingestion.ingest_document("a document. " * 400, "documents", "one", owner="ann")
        with timber.database.engine.begin() as connection:
            connection.execute(text("UPDATE notes SET body = 'another' WHERE id = '1'"))
            connection.execute(text("DELETE FROM notes WHERE id = '2'"))
        ingestion.process_pending()
        ingestion.ingest_document("the document, written anew", "documents", "one", owner="bob")
        ingestion.embedding_service = Hashing(model_id="other", dimension=4)
        ingestion.reembed("notes")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
