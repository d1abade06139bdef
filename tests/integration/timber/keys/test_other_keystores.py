"""The keystore that other tests use keeps the same promises."""

import pytest
from tests.fake_keystore import FakeKeystore
from typing_extensions import override

from timber.common.encryption.base import Keystore
from timber.testing.contracts import KeystoreContract


class TestFakeKeystore(KeystoreContract):
    @pytest.fixture
    @override
    def keystore(self) -> Keystore:
        return FakeKeystore()

    @pytest.fixture
    @override
    def same_keystore(self, keystore: Keystore) -> Keystore:
        return keystore
