"""A new master key: what it makes worthless, and that nothing is lost on the way to it."""

import contextlib
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.forks import Forks
from tests.integration.timber.keys.conftest import Keys, OpenAgain

from timber.common.encryption.base import DataKey
from timber.common.errors import KeystoreError, MasterKeyError, SubjectErasedError
from timber.common.failpoints import armed
from timber.common.keys.master_file import FileMasterKeys
from timber.common.keys.master_rotation import MasterFailpoint, MasterRotator
from timber.common.keys.master_text import GivenMasterKeys, MemoryMasterKeys, write_keys
from timber.common.keys.opening import OpenKeys

SUBJECTS = [f"users:{number}" for number in range(600)]


def rotator(opened: OpenKeys) -> MasterRotator:
    return MasterRotator(store=opened.store, masters=opened.masters)


def test_every_secret_is_the_same_under_the_new_master_key(
    open_keys: OpenKeys, open_again: OpenAgain
) -> None:
    store, seen = open_keys.store, []
    keys = store.data_keys_for(SUBJECTS)
    store.renew_data_key("users:1")
    others = (store.secret("audit"), store.subject_secret("users:1"), store.index_keys())
    another = open_again().store
    another.data_keys_for(SUBJECTS[:5])  # has read the old master key

    done = rotator(open_keys).rotate(lambda made, of: seen.append((made, of)))

    assert (done.version, done.finished_another, done.to_take_away) == (2, False, ())
    assert open_keys.masters.read().keys() == {2}
    assert seen[-1] == (done.rewrapped, done.rewrapped)
    assert done.rewrapped >= len(SUBJECTS) + 4
    for one in (store, another, open_again().store):
        assert one.data_keys_for(SUBJECTS[2:]) == {key: keys[key] for key in SUBJECTS[2:]}
        assert (one.secret("audit"), one.subject_secret("users:1"), one.index_keys()) == others
        assert one.data_key(keys["users:1"].key_id, 1) == keys["users:1"]


def test_an_old_copy_of_the_keystore_opens_nothing_after_a_rotation(
    file_keys: Keys, tmp_path: Path
) -> None:
    keys = file_keys
    with keys.open() as opened:
        erased = opened.store.data_keys_for(("users:1",))["users:1"]
        backup = tmp_path / "backup"
        shutil.copytree(tmp_path / "keys", backup)
        (backup / "master.key").unlink()  # it is kept elsewhere, and never in the same backup
        opened.store.erase("users:1")
        rotator(opened).rotate()
        new_master = opened.masters

    copy = Keys(replace(keys.places, file=backup / "keystore.db"), keys.bond)
    with pytest.raises(MasterKeyError, match=r"version 1.*has it not"):
        copy.open(masters=new_master).__enter__()
    with keys.open() as opened, pytest.raises(SubjectErasedError):
        opened.store.data_key(erased.key_id, 1)


def test_before_a_rotation_an_old_copy_still_opens_what_was_erased(
    file_keys: Keys, tmp_path: Path
) -> None:
    """So that nobody thinks that erasing alone reaches copies."""
    keys = file_keys
    with keys.open() as opened:
        erased = opened.store.data_keys_for(("users:1",))["users:1"]
        shutil.copytree(tmp_path / "keys", tmp_path / "backup")
        opened.store.erase("users:1")

    copy = Keys(replace(keys.places, file=tmp_path / "backup" / "keystore.db"), keys.bond)
    with copy.open() as opened:
        assert opened.store.data_key(erased.key_id, 1) == erased


def test_a_master_key_that_was_destroyed_is_not_in_its_folder_any_more(tmp_path: Path) -> None:
    masters = FileMasterKeys(tmp_path / "keys" / "master.key")
    masters.create(1)
    before = (tmp_path / "keys" / "master.key").read_bytes().strip()
    held = (tmp_path / "keys" / "master.key").open("rb")
    masters.create(2)

    masters.destroy(1)

    with held:
        assert set(held.read()) == {0}, "the old file is wiped, whoever may still hold it"
    found = [path for path in (tmp_path / "keys").iterdir() if before in path.read_bytes()]
    assert found == []


class Ended(BaseException):
    """Ends what is under way as a kill does: nothing of ours catches it."""


@pytest.mark.parametrize("point", MasterFailpoint)
def test_a_rotation_that_was_broken_off_anywhere_is_finished_by_the_next(
    keys: Keys, point: MasterFailpoint
) -> None:
    def end(reached: str) -> None:
        if reached == point:
            raise Ended

    with keys.open() as opened:
        before = opened.store.data_keys_for(SUBJECTS)
        with contextlib.suppress(Ended), armed(end):
            rotator(opened).rotate()
    with keys.open(may_create=False) as opened:
        # Everything works in between, and what is made then is kept.
        assert opened.store.data_keys_for(SUBJECTS) == before
        made = opened.store.data_keys_for(("users:new",))
        unfinished = rotator(opened).is_unfinished

        done = rotator(opened).rotate()

        assert unfinished == done.finished_another == (point != MasterFailpoint.DESTROYED)
        assert opened.masters.read().keys() == {done.version} == {2 if unfinished else 3}
        assert not rotator(opened).is_unfinished
        assert opened.store.data_keys_for(("users:new",)) == made
    with keys.open(may_create=False) as opened:
        assert opened.store.data_keys_for(SUBJECTS) == before


KILLED = tuple(MasterFailpoint)
"""The places at which a process is killed here."""
DOOMED = """
import os, signal, sys
from pathlib import Path
from timber.common.failpoints import armed
from timber.common.keys.master_rotation import MasterRotator
from tests.integration.timber.keys.conftest import keys_in

folder, url, point = sys.argv[1:]
keys = keys_in(Path(folder), url)
def die(reached):
    if reached == point:
        os.kill(os.getpid(), signal.SIGKILL)
with keys.open(may_create=False) as opened, armed(die):
    MasterRotator(store=opened.store, masters=opened.masters).rotate()
"""


@pytest.mark.parametrize("point", KILLED)
def test_a_process_killed_at_any_point_of_a_rotation_loses_nothing(
    keys: Keys, tmp_path: Path, point: MasterFailpoint, forks: Forks
) -> None:
    url = "" if keys.places.file else keys.places.url
    with keys.open() as opened:
        before = opened.store.data_keys_for(SUBJECTS)

    killed = forks.run(DOOMED, tmp_path / "keys", url, point)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with keys.open(may_create=False) as opened:
        assert opened.store.data_keys_for(SUBJECTS) == before
        done = rotator(opened).rotate()
        assert opened.masters.read().keys() == {done.version}
        assert opened.store.data_keys_for(SUBJECTS) == before


def given(*versions: int, made: dict[int, bytes]) -> GivenMasterKeys:
    text = write_keys({version: made[version] for version in versions})
    return GivenMasterKeys(SecretStr(text.strip().replace("\n", ",")))


@pytest.fixture
def made() -> dict[int, bytes]:
    masters = MemoryMasterKeys()
    for version in (1, 2):
        masters.create(version)
    return dict(masters.read())


def test_master_keys_of_the_environment_are_changed_in_three_steps(
    keys: Keys, made: dict[int, bytes]
) -> None:
    with keys.open(masters=given(1, made=made)) as opened:
        before = opened.store.data_keys_for(("users:1",))
        with pytest.raises(MasterKeyError, match="as `2:<the key>`"):
            rotator(opened).rotate()
    with keys.open(masters=given(2, 1, made=made)) as opened:
        assert not rotator(opened).is_unfinished
        done = rotator(opened).rotate()
        assert (done.version, done.to_take_away) == (2, (1,))
    with keys.open(masters=given(2, made=made)) as opened:
        assert opened.store.data_keys_for(("users:1",)) == before
    with pytest.raises(MasterKeyError, match="has it not"):
        keys.open(masters=given(1, made=made)).__enter__()


def test_a_process_that_lacks_the_new_master_key_says_so(
    keys: Keys, made: dict[int, bytes]
) -> None:
    with keys.open(masters=given(1, made=made)) as behind:
        behind.store.data_keys_for(("users:1",))
        with keys.open(masters=given(2, 1, made=made)) as opened:
            rotator(opened).rotate()

        with pytest.raises(MasterKeyError, match="version 2"):
            behind.store.data_keys_for(("users:1",))


def test_one_process_renews_keys_at_a_time(open_keys: OpenKeys, open_again: OpenAgain) -> None:
    other = open_again()

    with (
        open_keys.exclusive(),
        pytest.raises(KeystoreError, match="being renewed by another process"),
    ):
        other.exclusive().__enter__()
    with other.exclusive():
        pass


def test_keys_are_made_and_erased_while_the_master_key_changes(
    open_keys: OpenKeys, open_again: OpenAgain
) -> None:
    store, other = open_keys.store, open_again().store
    store.data_keys_for(SUBJECTS)
    made: dict[str, DataKey] = {}
    numbers: Iterator[int] = iter(range(100))

    def meanwhile(_point: str) -> None:
        number = next(numbers)
        made.update(other.data_keys_for((f"new:{number}",)))
        other.erase(f"users:{number}")

    with armed(meanwhile):
        rotator(open_keys).rotate()

    assert other.data_keys_for(made) == made
    count = next(numbers)
    assert len(made) == count >= len(MasterFailpoint)
    for number in range(count):
        with pytest.raises(SubjectErasedError):
            store.data_keys_for((f"users:{number}",))
