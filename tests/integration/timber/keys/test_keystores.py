"""Every keystore keeps the promises of the port, and keeps its secrets to itself."""

from pathlib import Path

import pytest
from tests.integration.timber.keys.conftest import Keys, OpenAgain, keys_in
from typing_extensions import override

from timber.common.encryption.base import Keystore
from timber.common.errors import KeystoreError, MasterKeyError
from timber.common.keys.base import MasterKeys
from timber.common.keys.master_file import FileMasterKeys
from timber.common.keys.master_text import MemoryMasterKeys
from timber.common.keys.opening import OpenKeys
from timber.testing.contracts import KeystoreContract, MasterKeysContract


class TestKeystoreThatIsKept(KeystoreContract):
    """On a file of SQLite, and on PostgreSQL."""

    @pytest.fixture
    @override
    def keystore(self, open_keys: OpenKeys) -> Keystore:
        return open_keys.store

    @pytest.fixture
    @override
    def same_keystore(self, keystore: Keystore, open_again: OpenAgain) -> Keystore:
        return open_again().store


class TestKeystoreInMemory(KeystoreContract):
    @pytest.fixture
    @override
    def keystore(self, memory_keys: OpenKeys) -> Keystore:
        return memory_keys.store

    @pytest.fixture
    @override
    def same_keystore(self, keystore: Keystore) -> Keystore:
        return keystore


class TestMasterKeysInAFile(MasterKeysContract):
    @pytest.fixture
    @override
    def master_keys(self, tmp_path: Path) -> MasterKeys:
        return FileMasterKeys(tmp_path / "new" / "master.key")


class TestMasterKeysInMemory(MasterKeysContract):
    @pytest.fixture
    @override
    def master_keys(self) -> MasterKeys:
        return MemoryMasterKeys()


def test_keys_are_there_again_when_the_store_is_opened_again(keys: Keys) -> None:
    with keys.open() as opened:
        made = opened.store.data_keys_for(("users:1",))

    with keys.open(may_create=False) as opened:
        assert opened.store.data_keys_for(("users:1",)) == made


def test_neither_a_secret_nor_a_subject_lies_bare_in_the_file(tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    with keys.open() as opened:
        made = opened.store.data_keys_for(("users:anna@example.org",))["users:anna@example.org"]
        secrets = [made.secret, opened.store.secret("audit"), opened.store.index_keys()[0].secret]

    content = (tmp_path / "keys" / "keystore.db").read_bytes()

    assert b"anna" not in content
    assert [secret for secret in secrets if secret in content] == []


def test_an_erased_key_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    with keys.open() as opened:
        opened.store.data_keys_for(("users:1", "users:2"))
        with opened.store.engine.connect() as connection:
            before = [bytes(one) for (one,) in connection.exec_driver_sql(WRAPPED)]
        opened.store.erase("users:1")
        with opened.store.engine.connect() as connection:
            after = [bytes(one) for (one,) in connection.exec_driver_sql(WRAPPED)]
    [gone] = set(before) - set(after)

    found = {path.name for path in (tmp_path / "keys").iterdir() if gone in path.read_bytes()}

    assert found == set()
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"keystore.db", "master.key"}


WRAPPED = "SELECT wrapped FROM timber_keystore_keys WHERE kind = 'data'"


def test_only_the_owner_can_read_what_is_made(tmp_path: Path) -> None:
    with keys_in(tmp_path / "keys").open() as opened:
        opened.store.index_keys()
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}

    assert modes == {"keystore.db": 0o600, "master.key": 0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("name", "mode", "cure"),
    [
        ("keys", 0o750, "chmod 700 "),
        ("keys/keystore.db", 0o604, "chmod 600 "),
        ("keys/master.key", 0o640, "chmod 600 "),
    ],
)
def test_what_others_may_read_is_refused_with_the_cure(
    tmp_path: Path, name: str, mode: int, cure: str
) -> None:
    keys = keys_in(tmp_path / "keys")
    with keys.open():
        pass
    (tmp_path / name).chmod(mode)

    with pytest.raises(KeystoreError, match=f"open to others.*{cure}{tmp_path / name}"):
        keys.open().__enter__()


def test_another_master_key_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    with keys.open() as opened:
        made = opened.store.data_keys_for(("users:1",))
    before = (tmp_path / "keys" / "keystore.db").read_bytes()
    other = MemoryMasterKeys()
    other.create(1)

    with pytest.raises(MasterKeyError, match="not the one of this keystore"):
        keys.open(masters=other).__enter__()

    assert (tmp_path / "keys" / "keystore.db").read_bytes() == before
    with keys.open() as opened:
        assert opened.store.data_keys_for(("users:1",)) == made


def test_a_lost_master_key_is_told_and_no_new_one_is_made(tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    with keys.open():
        pass
    (tmp_path / "keys" / "master.key").unlink()

    with pytest.raises(MasterKeyError, match="restore it from its backup"):
        keys.open().__enter__()

    assert not (tmp_path / "keys" / "master.key").exists()


def test_the_keys_of_other_data_are_refused(keys: Keys) -> None:
    keys.bond.store_id = b"another keystore"
    with pytest.raises(KeystoreError, match="new keys would open nothing"):
        keys.open().__enter__()
    keys.bond.store_id = None
    with keys.open():
        pass
    keys.bond.store_id = b"another keystore"

    with pytest.raises(KeystoreError, match="is sealed with the keys of"):
        keys.open().__enter__()


def test_where_nothing_may_be_made_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="timber keys init"):
        keys_in(tmp_path / "keys").open(may_create=False).__enter__()

    assert list(tmp_path.iterdir()) == []


def test_a_key_that_was_changed_in_the_store_is_told(open_keys: OpenKeys) -> None:
    store = open_keys.store
    key = store.data_keys_for(("users:1",))["users:1"]
    other = store.data_keys_for(("users:2",))["users:2"]
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE timber_keystore_keys SET wrapped = "
            "(SELECT wrapped FROM timber_keystore_keys WHERE name = "
            + ("x'{0}'" if store.engine.dialect.name == "sqlite" else "'\\x{0}'").format(
                other.key_id.hex()
            )
            + ") WHERE kind = 'data'"
        )

    with pytest.raises(KeystoreError, match="moved from another place"):
        store.data_key(key.key_id, 1)
    assert store.data_key(other.key_id, 1) == other
