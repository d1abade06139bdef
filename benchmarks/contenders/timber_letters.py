"""Timber, with a column that is encrypted."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.contenders import letters
from benchmarks.harness.stage import Stage, Trial
from sqlalchemy import insert

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODEL: Final = """\
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
  - name: Letter
    table_name: letters
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: user_id, type: String(36), nullable: false, foreign_key: users.user_id}
      - {name: body, type: Text, nullable: false}
    encryption: {enabled: true, fields: [body]}
"""


@contextlib.contextmanager
def _opened(stage: Stage) -> Iterator[tuple[Timber, Any]]:
    stage.folder.joinpath("letters.yaml").write_text(MODEL, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(stage.folder,),
        packaged_models=False,
        keystore=str(stage.folder / "keys"),
    )
    with Timber().opened(settings) as timber:
        user = timber.models.get("User")
        timber.database.bulk_insert(user, ({"user_id": one} for one in letters.writers()))
        yield timber, timber.models.get("Letter")


@contextlib.contextmanager
def bulk_insert(stage: Stage) -> Iterator[Trial]:
    """Insert all rows by one call."""
    rows = letters.rows(stage.size)
    with _opened(stage) as (timber, letter):

        def work() -> None:
            timber.database.bulk_insert(letter, rows)

        yield Trial(work=work, check=lambda: letters.stored(stage.database_url))


@contextlib.contextmanager
def insert_many(stage: Stage) -> Iterator[Trial]:
    """Insert all rows with one statement of the ORM."""
    rows = letters.rows(stage.size)
    with _opened(stage) as (timber, letter):

        def work() -> None:
            with timber.database.session_scope() as session:
                session.execute(insert(letter), rows)

        yield Trial(work=work, check=lambda: letters.stored(stage.database_url))
