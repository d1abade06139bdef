from pathlib import Path

import pytest

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.settings import Settings
from puppet_engine.main import create_app
from puppet_engine.storage.ownership import sole_owner


def test_a_database_file_has_one_owner_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/puppets.db"

    with sole_owner(url), pytest.raises(ConfigurationError, match=r"another engine.*puppets\.db"):
        sole_owner(url).__enter__()

    with sole_owner(url):
        pass


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://here/agents"])
def test_what_is_no_file_is_not_held(url: str) -> None:
    with sole_owner(url), sole_owner(url):
        pass


@pytest.mark.parametrize("shared", ["puppets", "world"])
async def test_a_second_engine_on_the_same_files_does_not_start(
    tmp_path: Path, shared: str
) -> None:
    def settings(puppets: str, world: str) -> Settings:
        return Settings(
            agents_dir=Path("config/agents"),
            database_url=f"sqlite:///{tmp_path}/{puppets}.db",
            world_database_url=f"sqlite:///{tmp_path}/{world}.db",
        )

    first = create_app(settings("puppets", "world"))
    other = {"puppets": "puppets-2", "world": "world-2", shared: shared}
    second = create_app(settings(**other))
    await first.assemble()

    try:
        with pytest.raises(ConfigurationError, match=f"another engine lives on .*{shared}"):
            await second.assemble()
    finally:
        await first.shutdown()

    await second.assemble()
    await second.shutdown()
