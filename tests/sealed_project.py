"""Models with encrypted fields that change, over one database and one folder of steps."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fake_keystore import FakeKeystore
from tests.unit.timber.migrations.conftest import Project
from typing_extensions import override

from timber.common.clock import SystemClock
from timber.common.migrations.migrator import Migrator
from timber.common.runtime import Timber


class SealedProject(Project):
    """A project that keeps its keys from one opening to the next."""

    def __init__(self, folder: Path, *, database_url: str | None = None) -> None:
        super().__init__(folder, database_url=database_url)
        self.keystore = FakeKeystore()

    @contextmanager
    def opened(self, **changes: Any) -> Generator[Timber]:
        with Timber(keystore=self.keystore).opened(self.settings(**changes)) as timber:
            yield timber

    @override
    @contextmanager
    def migrator(self) -> Generator[Migrator]:
        with self.opened() as timber:
            yield Migrator(
                engine=timber.database.engine,
                metadata=timber.base.metadata,
                folder=self.steps,
                clock=SystemClock(),
                keys=timber.keys.opened_keyring,
            )
