"""Timber's export and erasure of a person."""

import contextlib
import json
from collections.abc import Iterator

from benchmarks.contenders import person_rows
from benchmarks.harness.stage import Facts, Stage, Trial

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


def exported(size: int) -> Facts:
    """Return how many rows an export must hold."""
    return {"Note": size // 2, "Line": size // 2}


def left(size: int) -> Facts:
    """Return how many rows there must be after the erasure of one of two."""
    return {"users": 1, "notes": size // 2, "lines": size // 2}


@contextlib.contextmanager
def _opened(stage: Stage) -> Iterator[Timber]:
    models = stage.folder / "models"
    models.mkdir()
    models.joinpath("person.yaml").write_text(person_rows.MODELS, encoding="utf-8")
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(models,),
        packaged_models=False,
        keystore=str(stage.folder / "keys"),
    )
    with Timber().opened(settings) as timber:
        user, note, line = map(timber.models.get, ("User", "Note", "Line"))
        people = [{"user_id": one, "email": one, "username": one} for one in person_rows.PERSONS]
        timber.database.bulk_insert(user, people)
        timber.database.bulk_insert(note, person_rows.notes(stage.size))
        timber.database.bulk_insert(line, person_rows.lines(stage.size))
        yield timber


@contextlib.contextmanager
def export(stage: Stage) -> Iterator[Trial]:
    """Write everything about one of two persons to a file."""
    target = stage.folder / "export.json"

    def check() -> Facts:
        rows = json.loads(target.read_text(encoding="utf-8"))["rows"]
        return {name: len(rows[name]) for name in ("Note", "Line")}

    with _opened(stage) as timber:
        yield Trial(work=lambda: timber.gdpr.export_json("ann", target), check=check)


@contextlib.contextmanager
def erase(stage: Stage) -> Iterator[Trial]:
    """Erase one of two persons."""
    with _opened(stage) as timber:
        yield Trial(
            work=lambda: timber.gdpr.erase("ann"),
            check=lambda: person_rows.stored(stage.database_url),
        )
