"""What every test of Timber gets: model files, and a Timber in memory over them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest
from tests.fake_keystore import FakeKeystore

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

BUILT_IN = (
    "CacheEpoch",
    "IdempotencyKey",
    "Notification",
    "NotificationCounter",
    "StateTransition",
    "TrackedEvent",
    "User",
    "VectorChunk",
    "VectorOutbox",
    "VectorPartition",
    "VectorPending",
    "VectorSource",
)
"""The models that every Timber has."""

WriteModels = Callable[..., Path]
OpenTimber = Callable[..., Timber]


@pytest.fixture
def write_models(tmp_path: Path) -> WriteModels:
    """Write a model file, and return its folder."""

    def write(text: str, *, name: str = "models.yaml") -> Path:
        folder = tmp_path / "models"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(text), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def open_timber(write_models: WriteModels) -> Iterator[OpenTimber]:
    """Open a Timber in memory over the given model files; all are closed after the test."""
    with ExitStack() as stack:

        def opened(*texts: str, timber: Timber | None = None, **settings: object) -> Timber:
            folders = {
                write_models(text, name=f"{position}.yaml") for position, text in enumerate(texts)
            }
            given = {"model_config_dirs": tuple(folders), "packaged_models": False, **settings}
            timber = timber or Timber(keystore=FakeKeystore())
            return stack.enter_context(timber.opened(TimberSettings.model_validate(given)))

        yield opened
