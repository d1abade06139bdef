"""What a former release has sealed is opened by this one, and by all that come."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from tests.fake_keystore import FakeKeystore
from tests.unit.timber.conftest import OpenTimber

from timber.common.encryption.identities import SealTarget
from timber.common.runtime import Timber

GOLDEN: Final = Path(__file__).parents[3] / "data/sealed-1.json"
"""Written by the first release that seals, and never again: `tests/data/sealed-N.json` are read
for ever, a new form of sealed values gets a file of its own."""

MODELS: Final = """
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
      - {name: email, type: String(100)}
    encryption: {enabled: true, fields: [{name: email, searchable: true, normalise: casefold}]}
  - name: Thing
    table_name: things
    columns:
      - {name: a, type: Integer, primary_key: true}
      - {name: b, type: Uuid, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: words, type: Text}
      - {name: count, type: BigInteger}
      - {name: ratio, type: Float}
      - {name: price, type: "Numeric(10, 2)"}
      - {name: is_open, type: Boolean}
      - {name: at, type: DateTime}
      - {name: day, type: Date}
      - {name: hour, type: Time}
      - {name: span, type: Interval}
      - {name: token, type: Uuid}
      - {name: data, type: JSON}
      - {name: photo, type: LargeBinary}
      - {name: kind, type: "Enum(draft, done)"}
      - {name: place, type: Vector(2)}
      - {name: tags, type: Array(String(9))}
    encryption:
      enabled: true
      fields:
        - words
        - {name: count, searchable: true}
        - ratio
        - price
        - is_open
        - at
        - day
        - hour
        - span
        - token
        - data
        - photo
        - kind
        - place
        - tags
"""
VALUES: Final[dict[str, Any]] = {
    "words": "Grüße, 世界",
    "count": -(2**62),
    "ratio": 0.1,
    "price": Decimal("12.50"),
    "is_open": True,
    "at": datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "day": date(2030, 1, 2),
    "hour": time(3, 4, 5, 678901),
    "span": timedelta(days=-1, seconds=2, microseconds=3),
    "token": UUID(int=7),
    "data": {"a": [1, 1.5, None, True, "é"]},
    "photo": bytes(range(8)),
    "kind": "done",
    "place": [0.5, -2.0],
    "tags": ["x", None, ""],
}
KEY: Final = (7, UUID(int=9))


def foreseeable(salt: int) -> Callable[[int], bytes]:
    """Return bytes that are the same every time: for tests only."""
    counter = itertools.count(salt)
    return lambda length: bytes((next(counter) * 7 + n) % 256 for n in range(length))


def places() -> dict[str, tuple[SealTarget, Any]]:
    """Return every place whose value was sealed, and the value."""
    found = {
        name: (SealTarget(table="things", column=name, key=KEY, link="ann"), value)
        for name, value in VALUES.items()
    }
    nobody = SealTarget(table="things", column="words", key=KEY, link=None)
    person = SealTarget(table="users", column="email", key=("ann",))
    return {**found, "nobody's": (nobody, "nobody's"), "email": (person, "Ann@X.org")}


@pytest.fixture
def timber(open_timber: OpenTimber) -> Timber:
    """Open a Timber whose keys are always the same, made in the same order."""
    keystore = FakeKeystore(foreseeable(1))
    keystore.data_keys_for(["users:ann"])
    keystore.data_keys_for(["things:"])
    keystore.index_keys()
    made = Timber(keystore=keystore)
    made.sealer._random_bytes = foreseeable(100)
    return open_timber(MODELS, timber=made)


def written(timber: Timber) -> dict[str, list[str]]:
    """Return what this release seals, as the file holds it."""
    sealer = timber.sealer
    sealed = {name: [(sealer.seal_value(*one) or b"").hex()] for name, one in places().items()}
    sealed["email"] += [one.hex() for one in sealer.blind("users", "email", "Ann@X.org")]
    sealed["count"] += [one.hex() for one in sealer.blind("things", "count", VALUES["count"])]
    return sealed


def test_what_was_sealed_then_is_opened_now(timber: Timber) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    for name, (target, value) in places().items():
        found = timber.sealer.open_value(target, bytes.fromhex(golden[name][0]))
        assert (type(found), found) == (type(value), value), name


def test_the_form_of_what_is_sealed_does_not_change_by_accident(timber: Timber) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    assert written(timber) == golden


def test_an_index_made_then_is_found_now(timber: Timber) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    found = timber.sealer.blind("users", "email", "  ann@x.ORG")

    assert [one.hex() for one in found] == golden["email"][1:]
