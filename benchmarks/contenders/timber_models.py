"""Timber, opened over a file of many models."""

import contextlib
from collections.abc import Iterator

from benchmarks.contenders import many_models
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import create_engine
from sqlalchemy.orm import configure_mappers

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


@contextlib.contextmanager
def load(stage: Stage) -> Iterator[Trial]:
    """Open a Timber, which reads, checks and maps the models."""
    stage.folder.joinpath("models.yaml").write_text(
        many_models.model_file(stage.size), encoding="utf-8"
    )
    settings = TimberSettings(
        database_url=stage.database_url,
        model_config_dirs=(stage.folder,),
        packaged_models=False,
        create_tables=False,
    )
    timber = Timber()
    create_engine(stage.database_url).dispose()  # loads the driver

    def work() -> None:
        timber.open(settings)
        configure_mappers()

    def check() -> Facts:
        last = timber.models.get(f"Model{stage.size - 1}")
        return many_models.made(timber.base.metadata.tables.values(), last=last)

    yield Trial(work=work, check=check)
    timber.close()
