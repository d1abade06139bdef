"""What a keyring remembers, and for how long."""

import threading
from collections.abc import Collection, Mapping

import pytest
from tests.fake_keystore import FakeKeystore
from typing_extensions import override

from timber.common.encryption.base import DataKey
from timber.common.encryption.keyring import Keyring
from timber.common.errors import KeystoreError, NotOpenError, SubjectErasedError


class Ticks:
    """A monotonic clock that stands still."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def store() -> FakeKeystore:
    return FakeKeystore()


@pytest.fixture
def keyring(ticks: Ticks, store: FakeKeystore) -> Keyring:
    made = Keyring(ticks=ticks)
    made.open(store, bound_seconds=1)
    return made


def test_a_key_is_asked_for_once(keyring: Keyring, store: FakeKeystore) -> None:
    first = keyring.current("users:1")

    assert keyring.current("users:1") is first
    assert keyring.current_for(["users:1", "users:2"])["users:1"] is first
    assert store.asked == 2


def test_many_keys_are_asked_for_at_once(keyring: Keyring, store: FakeKeystore) -> None:
    found = keyring.current_for([f"users:{number}" for number in range(50)])

    assert len(found) == 50
    assert store.asked == 1


def test_an_erasure_elsewhere_ends_the_key_within_the_bound(
    keyring: Keyring, store: FakeKeystore, ticks: Ticks
) -> None:
    key = keyring.current("users:1")
    store.erase("users:1")

    ticks.now += 0.99
    assert keyring.current("users:1") is key
    ticks.now += 0.01

    with pytest.raises(SubjectErasedError):
        keyring.current("users:1")
    with pytest.raises(SubjectErasedError):
        keyring.opener(key.header[2:18], 1)


def test_two_keyrings_follow_each_others_changes(
    keyring: Keyring, store: FakeKeystore, ticks: Ticks
) -> None:
    other = Keyring(ticks=ticks)
    other.open(store, bound_seconds=1)
    first = other.current("users:1")

    store.renew_data_key("users:1")
    keyring.refresh()
    ticks.now += 1

    assert keyring.current("users:1").header[18:20] == b"\0\2"
    assert other.current("users:1").header == keyring.current("users:1").header
    assert other.opener(first.header[2:18], 1).header == first.header


def test_a_key_that_was_read_before_its_erasure_is_not_remembered_after_it(
    ticks: Ticks,
) -> None:
    """The erasure falls between the reading of a key and its being remembered."""
    read, erased = threading.Event(), threading.Event()

    class Slow(FakeKeystore):
        @override
        def data_keys_for(self, subjects: Collection[str]) -> Mapping[str, DataKey]:
            found = super().data_keys_for(subjects)
            if threading.current_thread() is not threading.main_thread():
                read.set()
                erased.wait(10)
            return found

    store = Slow()
    keyring = Keyring(ticks=ticks)
    keyring.open(store, bound_seconds=1)
    reader = threading.Thread(target=keyring.current, args=("users:1",))

    reader.start()
    read.wait(10)
    store.erase("users:1")
    ticks.now += 1
    keyring.current("users:2")  # learns that something has changed
    erased.set()
    reader.join(10)

    with pytest.raises(SubjectErasedError):
        keyring.current("users:1")


def test_a_store_that_does_not_answer_seals_and_opens_nothing(ticks: Ticks) -> None:
    class Failing(FakeKeystore):
        fails = False

        @override
        def generation(self) -> int:
            if self.fails:
                raise KeystoreError("out of reach")
            return super().generation()

    store = Failing()
    keyring = Keyring(ticks=ticks)
    keyring.open(store, bound_seconds=1)
    keyring.current("users:1")
    store.fails = True

    ticks.now += 1

    for _ in range(2):
        with pytest.raises(KeystoreError, match="out of reach"):
            keyring.current("users:1")
    store.fails = False
    assert keyring.current("users:1").subject == "users:1"


def test_a_closed_keyring_has_no_keys(keyring: Keyring) -> None:
    keyring.current("users:1")

    keyring.close()

    for ask in (lambda: keyring.current("users:1"), keyring.index_keys, keyring.refresh):
        with pytest.raises(NotOpenError):
            ask()


def test_no_text_of_a_key_shows_its_cipher(keyring: Keyring) -> None:
    assert "cipher" not in repr(keyring.current("users:1"))
