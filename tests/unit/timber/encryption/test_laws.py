"""What is sealed comes back as it was, in its place, and nowhere else."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as some
from tests.fake_keystore import FakeKeystore
from tests.unit.timber.encryption.values import VALUES

from timber.common.encryption.identities import SealTarget
from timber.common.encryption.sealing import Sealer
from timber.common.errors import (
    EncryptionError,
    InvalidValueError,
    NotOpenError,
    SubjectErasedError,
    TamperedError,
    UnknownKeyError,
)
from timber.common.modeling.column_kinds import KINDS
from timber.common.modeling.sealed import Ciphertext
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

COLUMNS = {f"c{place}": kind for place, kind in enumerate(VALUES)}
HEADER, NONCE, TAG = 20, 12, 16


@pytest.fixture(scope="module")
def keystore() -> FakeKeystore:
    return FakeKeystore()


@pytest.fixture(scope="module")
def sealer(keystore: FakeKeystore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealer]:
    """Give the sealer of a Timber with a column of every kind."""
    folder = tmp_path_factory.mktemp("models")
    # Arrays are PostgreSQL's own, but sealed they are bytes to every database.
    columns = "".join(f'      - {{name: {n}, type: "{t}"}}\n' for n, t in COLUMNS.items())
    (folder / "models.yaml").write_text(
        "models:\n"
        "  - name: User\n    table_name: users\n    columns:\n"
        "      - {name: user_id, type: String(36), primary_key: true}\n"
        "  - name: Thing\n    table_name: things\n    columns:\n"
        "      - {name: id, type: String(36), primary_key: true}\n"
        "      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}\n"
        f"{columns}"
        f"    encryption: {{enabled: true, fields: [{', '.join(COLUMNS)}]}}\n"
        "  - name: Other\n    table_name: others\n    columns:\n"
        "      - {name: id, type: String(36), primary_key: true}\n"
        "      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}\n"
        "      - {name: c0, type: String(40)}\n"
        "    encryption: {enabled: true, fields: [c0]}\n",
        encoding="utf-8",
    )
    settings = TimberSettings(model_config_dirs=(folder,), packaged_models=False)
    with Timber(keystore=keystore).opened(settings) as timber:
        yield timber.sealer


def place(column: str = "c0", **other: Any) -> SealTarget:
    """Return a place in the table of things."""
    return SealTarget(
        **{"table": "things", "column": column, "key": ("1",), "link": "ann", **other}
    )


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, of the same type; what is not a number is itself."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and bool(one == other)


def test_every_kind_of_column_is_sealed_here() -> None:
    tried = {kind.partition("(")[0] for kind in VALUES}

    assert tried == {*KINDS, "Enum", "Array"}


@pytest.mark.parametrize("column", COLUMNS)
@given(data=some.data())
def test_a_value_comes_back_as_it_was_and_of_its_type(
    sealer: Sealer, column: str, data: some.DataObject
) -> None:
    value = data.draw(VALUES[COLUMNS[column]])

    sealed = sealer.seal_value(place(column), value)

    assert type(sealed) is Ciphertext
    assert same(sealer.open_value(place(column), sealed), value)


def test_nothing_stays_nothing(sealer: Sealer) -> None:
    assert sealer.seal_value(place(), None) is None
    assert sealer.open_value(place(), None) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String(40)", "x" * 41),
        ("String(40)", 5),
        ("Text", b"bytes"),
        ("Text", "half a \ud800 pair"),
        ("SmallInteger", 2**15),
        ("Integer", "5"),
        ("Integer", 5.5),
        ("Integer", True),
        ("BigInteger", 2**63),
        ("Float", "5"),
        ("Numeric(12, 2)", 10**10),
        ("Numeric(12, 2)", float("inf")),
        ("Boolean", "true"),
        ("DateTime", "2030-01-01"),
        ("Date", "2030-01-01"),
        ("Time", "12:00"),
        ("Interval", 5),
        ("Uuid", "no uuid"),
        ("JSON", {"not": {1, 2}}),
        ("JSON", float("nan")),
        ("LargeBinary", "text"),
        ("Enum(draft, 'in work', done)", "lost"),
        ("Vector(3)", [1.0]),
        ("Array(Integer)", [5, "x"]),
        ("Array(String(20))", "abc"),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_refused_and_not_shown(
    sealer: Sealer, kind: str, value: Any
) -> None:
    column = next(name for name, written in COLUMNS.items() if written == kind)

    with pytest.raises(InvalidValueError, match=f"things.{column}") as caught:
        sealer.seal_value(place(column), value)

    assert repr(value) not in str(caught.value).replace("things", "")
    assert caught.value.__cause__ is None


@given(data=some.data())
def test_a_changed_byte_is_noticed(sealer: Sealer, data: some.DataObject) -> None:
    sealed = bytearray(sealer.seal_value(place(), "in its place") or b"")
    at = data.draw(some.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(some.integers(1, 255))

    with pytest.raises(EncryptionError):
        sealer.open_value(place(), bytes(sealed))


@given(length=some.integers(0, HEADER + NONCE + TAG + 12))
def test_a_missing_end_is_noticed(sealer: Sealer, length: int) -> None:
    sealed = sealer.seal_value(place(), "in its place") or b""

    with pytest.raises(TamperedError):
        sealer.open_value(place(), sealed[:length])


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"key": ("2",)},
        {"key": ("11",)},
        {"column": "c1"},
        {"table": "others"},
        {"link": "bob"},
        {"link": None},
        {"link": "bob", "subject": "users:ann"},
        {"subject": "users:bob"},
    ],
    ids=str,
)
def test_what_was_sealed_for_one_place_is_not_opened_in_another(
    sealer: Sealer, elsewhere: dict[str, Any]
) -> None:
    sealed = sealer.seal_value(place(), "in its place")

    with pytest.raises(TamperedError):
        sealer.open_value(place(**elsewhere), sealed)


def test_the_same_value_is_never_sealed_to_the_same_bytes(sealer: Sealer) -> None:
    sealed = {sealer.seal_value(place(), "in its place") for _ in range(100)}

    assert len(sealed) == 100


def test_a_renewed_key_seals_and_the_former_goes_on_to_open(
    sealer: Sealer, keystore: FakeKeystore
) -> None:
    before = sealer.seal_value(place(link="cid"), "before") or b""
    keystore.renew_data_key("users:cid")
    forget(sealer)
    after = sealer.seal_value(place(link="cid"), "after") or b""

    assert (before[18:20], after[18:20]) == (b"\0\1", b"\0\2")
    assert sealer.open_value(place(link="cid"), before) == "before"
    assert sealer.open_value(place(link="cid"), after) == "after"
    with pytest.raises(TamperedError):
        sealer.open_value(place(link="cid"), before[:18] + after[18:20] + before[20:])


def test_what_belongs_to_somebody_erased_is_neither_opened_nor_sealed(
    sealer: Sealer, keystore: FakeKeystore
) -> None:
    sealed = sealer.seal_value(place(link="dan"), "gone")
    keystore.erase("users:dan")
    forget(sealer)

    with pytest.raises(SubjectErasedError):
        sealer.open_value(place(link="dan"), sealed)
    with pytest.raises(SubjectErasedError):
        sealer.seal_value(place(link="dan"), "new")


def test_a_key_of_another_store_is_not_known(sealer: Sealer) -> None:
    sealed = sealer.seal_value(place(), "in its place") or b""

    with pytest.raises(UnknownKeyError):
        sealer.open_value(place(), sealed[:2] + bytes(16) + sealed[18:])


def test_what_was_sealed_as_another_type_is_not_taken_for_this_one(sealer: Sealer) -> None:
    integer = next(name for name, kind in COLUMNS.items() if kind == "Integer")
    sealed = sealer.seal_value(place(integer), 5)
    fields = sealer.table("things").fields
    before = fields[integer].codec
    try:
        fields[integer].codec = fields["c0"].codec

        with pytest.raises(EncryptionError, match="another type"):
            sealer.open_value(place(integer), sealed)
    finally:
        fields[integer].codec = before


def test_a_ciphertext_shows_nothing_of_itself(sealer: Sealer) -> None:
    sealed = sealer.seal_value(place(), "in its place") or b""

    assert repr(sealed) == str(sealed) == f"<Ciphertext of {len(sealed)} bytes>"


def test_a_closed_timber_seals_nothing() -> None:
    timber = Timber(keystore=FakeKeystore())

    with pytest.raises(NotOpenError):
        timber.sealer._keyring.current("users:ann")


def forget(sealer: Sealer) -> None:
    """Have the keyring look again, as it does when its bound of time is over."""
    with contextlib.suppress(AttributeError):
        sealer._keyring._checked = float("-inf")
