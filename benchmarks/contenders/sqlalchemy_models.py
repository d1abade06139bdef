"""A module of classes written by hand, as Python imports it."""

import contextlib
import importlib
import py_compile
import sys
from collections.abc import Iterator
from types import ModuleType

from benchmarks.contenders import many_models
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import create_engine
from sqlalchemy.orm import configure_mappers


@contextlib.contextmanager
def load(stage: Stage) -> Iterator[Trial]:
    """Import the module, whose bytecode is at hand, and map the classes."""
    file = stage.folder / "models_by_hand.py"
    file.write_text(many_models.module(stage.size), encoding="utf-8")
    py_compile.compile(str(file), doraise=True)
    sys.path.insert(0, str(stage.folder))
    create_engine(stage.database_url).dispose()  # loads the driver
    imported: list[ModuleType] = []

    def work() -> None:
        imported.append(importlib.import_module(file.stem))
        configure_mappers()
        create_engine(stage.database_url)

    def check() -> Facts:
        [module] = imported
        last = getattr(module, f"Model{stage.size - 1}")
        return many_models.made(module.Base.metadata.tables.values(), last=last)

    yield Trial(work=work, check=check)
