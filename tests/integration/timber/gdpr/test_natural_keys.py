"""What tells of a person goes out of a row that stays, also where foreign keys point to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.integration.timber.gdpr.conftest import naming, settings_of, stored

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Account
    table_name: accounts
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: email, type: String(80), nullable: false, unique: true, personal: true}
      - {name: phone, type: String(40), unique: true, personal: true}
      - {name: passport, type: String(40), unique: true, personal: true}
      - {name: branch, type: Integer, nullable: false}
      - {name: alias, type: String(40), nullable: false, personal: true}
    unique:
      - {columns: [branch, alias], name: uq_accounts_alias}
    gdpr: {enabled: true, user_id_field: user_id}
  - name: Message
    table_name: messages
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: sender_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: to_email, type: String(80), foreign_key: accounts.email, nullable: false}
      - {name: branch, type: Integer}
      - {name: to_alias, type: String(40)}
    foreign_keys:
      - {columns: [branch, to_alias], references: [accounts.branch, accounts.alias]}
    gdpr: {enabled: true, user_id_field: sender_id}
  - name: Call
    table_name: calls
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: caller_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - name: to_phone
        type: String(40)
        foreign_key: accounts.phone
        on_update: cascade
        nullable: false
    gdpr: {enabled: true, user_id_field: caller_id}
  - name: Permit
    table_name: permits
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: passport, type: String(40), foreign_key: accounts.passport, nullable: false}
    gdpr: {enabled: true, user_id_field: user_id, on_erase: retain, reason: The border.}
"""


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    with Timber().opened(settings_of(database_url, tmp_path)) as opened:
        with opened.database.session_scope() as session:
            for name in ("ann", "bob"):
                session.add(opened.models.get("User")(user_id=name, email=name, username=name))
        for number, name in enumerate(("ann", "bob"), 1):
            store(
                opened,
                "accounts",
                id=number,
                user_id=name,
                email=f"{name}@home",
                phone=f"phone of {name}",
                passport=f"passport of {name}",
                branch=7,
                alias=f"alias of {name}",
            )
        yield opened


def store(timber: Timber, name: str, **row: Any) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(insert(timber.base.metadata.tables[name]), row)


def one(timber: Timber, name: str, key: int = 1) -> dict[str, Any]:
    table = timber.base.metadata.tables[name]
    with timber.database.engine.connect() as connection:
        row = connection.execute(select(table).where(table.c.id == key)).one()
    return dict(row._mapping)


def test_a_natural_key_by_which_others_point_becomes_a_random_one_on_both_sides(
    timber: Timber,
) -> None:
    store(timber, "messages", id=1, sender_id="bob", to_email="ann@home")
    store(timber, "calls", id=1, caller_id="bob", to_phone="phone of ann")

    certificate = timber.gdpr.erase("ann")

    assert naming(stored(timber), "ann") == {"users": 1, "accounts": 1}  # by their keys
    account = one(timber, "accounts")
    assert account["email"] == one(timber, "messages")["to_email"]
    assert account["phone"] == one(timber, "calls")["to_phone"]
    assert (account["passport"], account["user_id"]) == (None, "ann")
    assert account["branch"] != 7
    assert certificate.tables["accounts"] == {"emptied": 1}
    assert certificate.tables["messages"] == {"renamed": 1}
    assert certificate.tables["calls"] == {"renamed": 1}
    assert one(timber, "accounts", 2)["email"] == "bob@home"


def test_of_a_key_of_several_columns_only_what_is_personal_becomes_another(
    timber: Timber,
) -> None:
    message = {"id": 1, "sender_id": "bob", "to_email": "ann@home"}
    store(timber, "messages", **message, branch=7, to_alias="alias of ann")

    timber.gdpr.erase("ann")

    account, left = one(timber, "accounts"), one(timber, "messages")
    # That link may be null, so it is; the other one may not.
    assert (left["branch"], left["to_alias"]) == (None, None)
    assert left["to_email"] == account["email"] != "ann@home"


def test_what_is_retained_keeps_the_value_it_points_to_and_the_certificate_says_so(
    timber: Timber,
) -> None:
    store(timber, "permits", id=1, user_id="ann", passport="passport of ann")

    certificate = timber.gdpr.erase("ann")

    account = one(timber, "accounts")
    assert account["passport"] == "passport of ann"
    assert (account["phone"], naming({"a": [account]}, "ann@home")) == (None, {})
    assert certificate.tables["accounts"] == {"emptied": 1, "kept": ["passport"]}
