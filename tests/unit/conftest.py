"""What is of no concern to most units is left out: they find memories by their words."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack

import pytest
from tests.lent_storages import IN_MEMORY, LendStorage, Vault

from puppet_engine.core.clock import Clock
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.storage.gateway import Storage
from timber.testing.postgresql import PostgresqlServer


@pytest.fixture(autouse=True)
def words_only(clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no model for each store; who wants one names it."""
    monkeypatch.setenv("PUPPET_EMBEDDER", "none")


@pytest.fixture(scope="session")
def vault_in_memory() -> Iterator[Vault]:
    with Vault.opened(IN_MEMORY) as vault:
        yield vault


@pytest.fixture(scope="session")
def vault_in_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with Vault.opened(f"sqlite:///{tmp_path_factory.mktemp('vault')}/lent.db") as vault:
        yield vault


@pytest.fixture(scope="session")
def vault_on_postgresql(postgresql_server: PostgresqlServer) -> Iterator[Vault]:
    with postgresql_server.database() as url, Vault.opened(url) as vault:
        yield vault


@pytest.fixture
async def lend_storage(request: pytest.FixtureRequest) -> AsyncGenerator[LendStorage]:
    """Give what lends a storage; it is closed after the test."""
    vaults = {
        "memory": "vault_in_memory",
        "file": "vault_in_file",
        "postgresql": "vault_on_postgresql",
    }
    async with AsyncExitStack() as stack:

        async def lend(
            *, clock: Clock, ids: IdFactory = random_id, kind: str = "memory"
        ) -> Storage:
            vault: Vault = request.getfixturevalue(vaults[kind])
            storage = stack.enter_context(vault.lent(clock, ids))
            await storage.open()
            stack.push_async_callback(storage.close)
            return storage

        yield lend
