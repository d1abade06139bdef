"""Models that change, over one database and one folder of steps."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import Connection, text

from timber.common.clock import SystemClock
from timber.common.database.engine import opened_engine
from timber.common.migrations.migrator import Migrator
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings


class Project:
    """A folder of models, a folder of steps, and a database."""

    def __init__(self, folder: Path, *, database_url: str | None = None) -> None:
        self.models = folder / "models"
        self.steps = folder / "migrations"
        self.database_url = database_url or f"sqlite:///{folder / 'data.db'}"
        self.models.mkdir(exist_ok=True)

    def say(self, models: str) -> None:
        """Let the models be these from now on."""
        (self.models / "models.yaml").write_text(dedent(models), encoding="utf-8")

    def settings(self, **changes: Any) -> TimberSettings:
        given = {
            "database_url": self.database_url,
            "model_config_dirs": (self.models,),
            "packaged_models": False,
            "create_tables": False,
        }
        return TimberSettings.model_validate({**given, **changes})

    @contextmanager
    def migrator(self) -> Generator[Migrator]:
        with Timber().opened(self.settings()) as timber:
            yield Migrator(
                engine=timber.database.engine,
                metadata=timber.base.metadata,
                folder=self.steps,
                clock=SystemClock(),
            )

    @contextmanager
    def connection(self) -> Generator[Connection]:
        # Rows and tables are looked at without the models: to open a Timber takes longer.
        with opened_engine(self.database_url) as engine, engine.begin() as connection:
            yield connection

    def step(self, models: str | None = None, *, allow_data_loss: bool = False) -> None:
        """Change the models, write the step, and apply it."""
        if models is not None:
            self.say(models)
        with self.migrator() as migrator:
            migrator.write(migrator.plan())
            migrator.apply(allow_data_loss=allow_data_loss)

    def run(self, *statements: str) -> None:
        with self.connection() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


Say = Callable[[str], None]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
