# ruff: noqa: S101 - these are tests
"""The promises of keystores and master keys, as tests that every implementation can run."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from timber.common.encryption.base import KEY_BYTES, KEY_ID_BYTES, DataKey, IndexKey, Keystore
from timber.common.errors import MasterKeyError, SubjectErasedError, UnknownKeyError
from timber.common.keys.base import MasterKeys

_MANY = 1_300
"""More subjects than a statement can well ask for at once."""


class KeystoreContract:
    """What every `Keystore` promises. Implementers override both fixtures."""

    @pytest.fixture
    def keystore(self) -> Keystore:
        """Return the keystore under test, empty."""
        raise NotImplementedError("override the fixture `keystore` to return your keystore")

    @pytest.fixture
    def same_keystore(self, keystore: Keystore) -> Keystore:
        """Return another access to it, as another process has; itself if there is none."""
        raise NotImplementedError("override the fixture `same_keystore`, too")

    # ------------------------------------------------------------------ keys of data

    def test_a_subject_has_one_key_whoever_asks(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        made = _key(keystore, "users:1")

        assert made == _key(keystore, "users:1") == _key(same_keystore, "users:1")
        assert made.version == 1
        assert made.subject == "users:1"
        assert (len(made.secret), len(made.key_id)) == (KEY_BYTES, KEY_ID_BYTES)

    def test_no_two_subjects_share_anything(self, keystore: Keystore) -> None:
        keys = keystore.data_keys_for(("users:1", "users:", "users:Ä 2", "a" * 300)).values()

        assert len({key.secret for key in keys}) == len({key.key_id for key in keys}) == len(keys)

    def test_many_subjects_get_their_keys_at_once(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        first = _key(keystore, "users:7")
        subjects = [f"users:{number}" for number in range(_MANY)]

        made = keystore.data_keys_for([*subjects, "users:7"])

        assert made.keys() == set(subjects)
        assert all(key.subject == subject for subject, key in made.items())
        assert made["users:7"] == first
        assert same_keystore.data_keys_for(subjects) == made

    def test_nobody_is_a_subject_of_nothing(self, keystore: Keystore) -> None:
        assert keystore.data_keys_for(()) == {}

    def test_threads_that_ask_at_once_get_the_same_keys(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        subjects = [f"users:{number}" for number in range(20)]
        orders = [subjects, subjects[::-1]] * 3
        stores = [keystore, same_keystore] * 3

        with ThreadPoolExecutor(max_workers=len(orders)) as pool:
            found = list(pool.map(lambda store, order: store.data_keys_for(order), stores, orders))

        assert all(one == found[0] for one in found)

    def test_a_sealed_value_names_its_key(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        made = _key(keystore, "users:1")

        assert same_keystore.data_key(made.key_id, made.version) == made

    def test_a_key_that_was_never_there_is_unknown(self, keystore: Keystore) -> None:
        made = _key(keystore, "users:1")

        with pytest.raises(UnknownKeyError):
            keystore.data_key(bytes(KEY_ID_BYTES), 1)
        with pytest.raises(UnknownKeyError):
            keystore.data_key(made.key_id, made.version + 1)

    def test_a_renewed_key_seals_and_the_former_one_still_opens(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        former = _key(keystore, "users:1")
        before = keystore.generation()

        renewed = keystore.renew_data_key("users:1")

        assert (renewed.version, renewed.key_id) == (2, former.key_id)
        assert renewed.secret != former.secret
        assert renewed.subject == "users:1"
        assert _key(same_keystore, "users:1") == renewed
        assert same_keystore.data_key(former.key_id, 1) == former
        assert same_keystore.generation() > before

    def test_threads_that_renew_at_once_make_a_version_each(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        _key(keystore, "users:1")

        with ThreadPoolExecutor(max_workers=4) as pool:
            stores = [keystore, same_keystore] * 2
            renewed = list(pool.map(lambda store: store.renew_data_key("users:1"), stores))

        assert sorted(key.version for key in renewed) == [2, 3, 4, 5]
        assert _key(keystore, "users:1").version == 5  # noqa: PLR2004 - the last of them

    # ------------------------------------------------------------------ other secrets

    def test_the_root_of_indexes_stays(self, keystore: Keystore, same_keystore: Keystore) -> None:
        roots = keystore.index_keys()

        assert roots == keystore.index_keys() == same_keystore.index_keys()
        assert [root.version for root in roots] == [1]
        assert len(roots[0].secret) == KEY_BYTES

    def test_threads_that_ask_first_get_one_root(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        with ThreadPoolExecutor(max_workers=4) as pool:
            stores = [keystore, same_keystore] * 2
            found = list(pool.map(lambda store: store.index_keys(), stores))

        assert all(one == found[0] for one in found)

    def test_a_subject_has_a_secret_that_renewal_leaves_alone(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        secret = keystore.subject_secret("users:1")
        keystore.renew_data_key("users:1")

        assert keystore.subject_secret("users:1") == secret
        assert same_keystore.subject_secret("users:1") == secret
        assert keystore.subject_secret("users:2") != secret
        assert len(secret) == KEY_BYTES

    def test_the_secrets_of_many_are_those_of_each_without_the_erased(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        known = keystore.subject_secret("users:1")
        keystore.erase("users:2")
        many = [f"users:{number}" for number in range(700)]

        secrets = keystore.subject_secrets(many)

        assert secrets["users:1"] == known
        assert sorted({*many} - secrets.keys()) == ["users:2"]
        assert len({*secrets.values()}) == len(secrets)
        assert same_keystore.subject_secrets(many) == secrets
        assert same_keystore.subject_secret("users:3") == secrets["users:3"]

    def test_each_purpose_has_a_secret_of_its_own(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        secrets = [keystore.secret(one) for one in ("audit", "certificate", "tombstone")]

        assert len(set(secrets)) == len(secrets)
        assert same_keystore.secret("audit") == secrets[0]

    def test_no_text_of_a_key_shows_it(self, keystore: Keystore) -> None:
        keys: list[DataKey | IndexKey] = [_key(keystore, "users:1"), *keystore.index_keys()]
        for key in keys:
            assert repr(key.secret) not in f"{key!r} {key}"
            assert key.secret.hex() not in f"{key!r} {key}"

    # ------------------------------------------------------------------ erasure

    def test_the_keys_of_an_erased_subject_are_gone_for_everybody(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        key = _key(keystore, "users:1")
        keystore.renew_data_key("users:1")
        keystore.subject_secret("users:1")
        before = keystore.generation()

        erasure = keystore.erase("users:1")

        assert erasure.keys == 2  # noqa: PLR2004 - both versions
        assert same_keystore.generation() > before
        for store in (keystore, same_keystore):
            for version in (1, 2):
                with pytest.raises(SubjectErasedError):
                    store.data_key(key.key_id, version)
            with pytest.raises(SubjectErasedError):
                store.subject_secret("users:1")
            with pytest.raises(SubjectErasedError):
                store.renew_data_key("users:1")

    def test_nothing_is_made_when_one_of_many_was_erased(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        keystore.erase("users:1")

        with pytest.raises(SubjectErasedError):
            keystore.data_keys_for(("users:0", "users:1", "users:2"))

        assert same_keystore.erase("users:0").keys == 0
        assert same_keystore.erase("users:2").keys == 0

    def test_erasing_again_says_the_same(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        _key(keystore, "users:1")

        erasures = [keystore.erase("users:1"), same_keystore.erase("users:1")]

        assert erasures[0] == erasures[1]

    def test_a_subject_without_keys_can_be_erased_and_gets_none(self, keystore: Keystore) -> None:
        erasure = keystore.erase("users:1")

        assert erasure.keys == 0
        with pytest.raises(SubjectErasedError):
            keystore.data_keys_for(("users:1",))

    def test_erasing_one_leaves_the_others(self, keystore: Keystore) -> None:
        other = _key(keystore, "users:2")
        _key(keystore, "users:1")

        keystore.erase("users:1")

        assert _key(keystore, "users:2") == other

    def test_an_erased_subject_is_known_by_its_tombstone(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        subjects = [f"users:{number}" for number in range(3)]
        keystore.data_keys_for([*subjects, "users:3"])

        erased = {keystore.erase(subject).tombstone for subject in subjects}

        assert {one.tombstone for one in same_keystore.erasures()} == erased
        assert {same_keystore.tombstone_of(subject) for subject in subjects} == erased
        assert keystore.tombstone_of("users:3") not in erased

    def test_who_knows_of_an_erasure_and_erases_again_begins_a_later_one(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        first = keystore.erase("users:1")
        again = same_keystore.erase("users:1")
        second = keystore.erase("users:1", after=first.erased_at)
        resumed = same_keystore.erase("users:1", after=first.erased_at)

        assert again == first
        assert second.erased_at > first.erased_at
        assert resumed == second
        assert list(same_keystore.erasures()) == [second]

    def test_keys_that_are_made_while_their_subject_is_erased_do_not_stay(
        self, keystore: Keystore, same_keystore: Keystore
    ) -> None:
        subjects = [f"users:{number}" for number in range(8)]

        def ask(subject: str) -> DataKey | None:
            try:
                return keystore.data_keys_for((subject,))[subject]
            except SubjectErasedError:
                return None

        with ThreadPoolExecutor(max_workers=4) as pool:
            asked = [pool.submit(ask, subject) for subject in subjects]
            for done in [pool.submit(same_keystore.erase, subject) for subject in subjects]:
                done.result()
            made = [one.result() for one in asked]

        for key in made:
            if key is not None:
                with pytest.raises(SubjectErasedError):
                    keystore.data_key(key.key_id, key.version)


class MasterKeysContract:
    """What all `MasterKeys` that can make keys promise. Override the fixture `master_keys`."""

    @pytest.fixture
    def master_keys(self) -> MasterKeys:
        """Return what keeps master keys, with none in it."""
        raise NotImplementedError("override the fixture `master_keys` to return what keeps yours")

    def test_there_are_none_before_one_is_made(self, master_keys: MasterKeys) -> None:
        assert master_keys.read() == {}

    def test_what_is_made_stays_until_it_is_destroyed(self, master_keys: MasterKeys) -> None:
        master_keys.create(1)
        first = master_keys.read()[1]
        master_keys.create(2)

        both = master_keys.read()
        master_keys.destroy(1)

        assert both.keys() == {1, 2}
        assert both[1] == first != both[2]
        assert {len(key) for key in both.values()} == {KEY_BYTES}
        assert master_keys.read() == {2: both[2]}

    def test_a_version_is_made_once(self, master_keys: MasterKeys) -> None:
        master_keys.create(1)
        before = dict(master_keys.read())

        with pytest.raises(MasterKeyError):
            master_keys.create(1)

        assert master_keys.read() == before

    def test_destroying_what_is_not_there_is_no_harm(self, master_keys: MasterKeys) -> None:
        master_keys.create(1)
        before = dict(master_keys.read())

        master_keys.destroy(7)

        assert master_keys.read() == before

    def test_no_text_shows_a_key(self, master_keys: MasterKeys) -> None:
        master_keys.create(1)
        key = master_keys.read()[1]

        for text in (repr(master_keys), str(master_keys), master_keys.where):
            assert key.hex() not in text
            assert repr(key) not in text


def _key(store: Keystore, subject: str) -> DataKey:
    return store.data_keys_for((subject,))[subject]
