"""Timber, with a column that is encrypted."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from benchmarks.contenders import letters
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import insert

from timber.common.database.bulk import CHUNK
from timber.common.encryption.identities import SealTarget
from timber.common.modeling.sealed_tables import Places
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
_IN_CLEAR: Final = """\
  - name: Card
    table_name: cards
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: user_id, type: String(36), nullable: false, foreign_key: users.user_id}
      - {name: body, type: Text, nullable: false}
"""
"""The same, but that nothing of it is encrypted."""
_TURNS: Final = 10


@contextlib.contextmanager
def _opened(stage: Stage, models: str = MODEL) -> Iterator[tuple[Timber, Any]]:
    stage.folder.joinpath("letters.yaml").write_text(models, encoding="utf-8")
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
def _sealing(stage: Stage) -> Iterator[tuple[Timber, Callable[[list[dict[str, Any]]], None]]]:
    """Give what seals the rows of letters in place, as it is done before they are written."""
    with (
        _opened(replace(stage, database_url="sqlite:///:memory:")) as (timber, _),
        timber.database.engine.begin() as connection,
    ):
        table = timber.sealer.tables["letters"].sealed
        places = Places(
            key=("id",), link="user_id", fields=((table.columns["body"], "body", None),)
        )

        def seal(rows: list[dict[str, Any]]) -> None:
            for start in range(0, len(rows), CHUNK):
                timber.sealer.seal_rows(table, rows[start : start + CHUNK], places, connection)

        seal(letters.rows(letters.WRITERS))  # makes everybody's key, as the peers have theirs
        yield timber, seal


@contextlib.contextmanager
def seal_fields(stage: Stage) -> Iterator[Trial]:
    """Seal the texts of rows."""
    rows = letters.rows(stage.size)
    with _sealing(stage) as (_, seal):
        yield Trial(
            work=lambda: seal(rows), check=lambda: letters.fields([row["body"] for row in rows])
        )


@contextlib.contextmanager
def open_fields(stage: Stage) -> Iterator[Trial]:
    """Open the texts of rows."""
    rows = letters.rows(stage.size)
    bodies = [row["body"] for row in rows]
    opened: list[Any] = []
    with _sealing(stage) as (timber, seal):
        seal(rows)

        def work() -> None:
            for row in rows:
                target = SealTarget(
                    table="letters", column="body", key=(row["id"],), link=row["user_id"]
                )
                opened.append(timber.sealer.open_value(target, row["body"]))

        yield Trial(work=work, check=lambda: {"fields": len(opened), "right": opened == bodies})


@contextlib.contextmanager
def bulk_insert(stage: Stage) -> Iterator[Trial]:
    """Insert all rows by one call."""
    rows = letters.rows(stage.size)
    with _opened(stage) as (timber, letter):

        def work() -> None:
            timber.database.bulk_insert(letter, rows)

        yield Trial(work=work, check=lambda: letters.stored(stage.database_url))


@contextlib.contextmanager
def both_bulk_inserts(stage: Stage) -> Iterator[Trial]:
    """Insert the rows twice, sealed and in clear, in turns; tell the CPU seconds of each."""
    rows = letters.rows(stage.size + letters.WRITERS)
    rows, more = rows[: stage.size], rows[stage.size :]
    seconds = {"sealed": 0.0, "clear": 0.0}
    with _opened(stage, MODEL + _IN_CLEAR) as (timber, letter):
        kinds = {"sealed": letter, "clear": timber.models.get("Card")}
        for kind in kinds.values():  # what is done once is done
            timber.database.bulk_insert(kind, more)

        def work() -> None:
            part = -(-len(rows) // _TURNS)
            for start in range(0, len(rows), part):
                for name, kind in kinds.items():
                    before = time.process_time()
                    timber.database.bulk_insert(kind, rows[start : start + part])
                    seconds[name] += time.process_time() - before

        def check() -> Facts:
            return {
                **{f"{name} CPU seconds": spent for name, spent in seconds.items()},
                **{
                    f"{name} {what}": count
                    for name, table in (("sealed", "letters"), ("clear", "cards"))
                    for what, count in letters.stored(stage.database_url, table).items()
                },
            }

        yield Trial(work=work, check=check)


@contextlib.contextmanager
def insert_many(stage: Stage) -> Iterator[Trial]:
    """Insert all rows with one statement of the ORM."""
    rows = letters.rows(stage.size)
    with _opened(stage) as (timber, letter):

        def work() -> None:
            with timber.database.session_scope() as session:
                session.execute(insert(letter), rows)

        yield Trial(work=work, check=lambda: letters.stored(stage.database_url))
