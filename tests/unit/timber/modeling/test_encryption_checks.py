"""What cannot be encrypted is refused at the start, with its place and its cure."""

import pytest
from sqlalchemy import UniqueConstraint
from tests.unit.timber.conftest import OpenTimber

from timber.common.errors import ModelFileError
from timber.common.modeling.stubs import stub_text

GOOD = """\
models:
  - name: User
    table_name: users
    columns:
      - {name: user_id, type: String(36), primary_key: true}
  - name: Letter
    table_name: letters
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: user_id, type: String(36), foreign_key: users.user_id}
      - {name: box, type: String(36)}
      - {name: body, type: Text}
      - {name: code, type: String(20), unique: true, index: true}
      - {name: data, type: JSON}
      - {name: price, type: "Numeric(10, 2)"}
    indexes: [{name: by_box, columns: [box, code], unique: true}]
    encryption: {enabled: true, fields: [body, data, price, {name: code, searchable: true}]}
    gdpr: {enabled: true}
"""


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("fields: [body", "fields: [id, body", "'id' cannot be encrypted: it has a `primary_key`"),
        ("fields: [body", "fields: [user_id, body", "it has a `foreign_key`"),
        ("type: Text}", "type: Text, server_default: x}", "it has a `server_default`"),
        ("type: Text}", "type: Text, check: body is not null}", "it has a `check`"),
        ("type: Text}", "type: Text, unique: true}", "write {name: body, searchable: true}"),
        ("fields: [body", "fields: [body, body", "a field is named twice"),
        ("fields: [body", "fields: [{name: body, normalise: strip}", "belongs to a field that is"),
        ("fields: [body, data", "fields: [{name: data, searchable: true}", "it is of type JSON"),
        (
            "fields: [body, data, price",
            "fields: [{name: price, searchable: true, normalise: strip}",
            "'price' is no text",
        ),
        ("{name: box,", "{name: code_index,", "'code_index' is there already"),
        ("fields: [body", "bound_to: box, fields: [body", "'box' does not tell rows apart"),
        ("fields: [body", "bound_to: bax, fields: [body", "'letters' has no column 'bax'"),
        ("fields: [body", "bound_to: body, fields: [body", "'body' is encrypted itself"),
        ("fields: [body", "bound_to: data, fields: [body", "'data', which is of type JSON"),
        ("fields: [body", "bound_to: user_id, fields: [body", "it has a `foreign_key`"),
        ("columns: [box, code]", "columns: [box, body]", "'body' is encrypted, so it cannot be"),
        (
            "unique: true}]",
            "where: body is null}]",
            "'body' is encrypted, so the database cannot look at it",
        ),
        (
            "{name: id, type: String(36), primary_key: true, default: uuid4}",
            "{name: id, type: Integer, primary_key: true}",
            "'id' is counted by the database",
        ),
        (
            "primary_key: true, default: uuid4}",
            "primary_key: true, server_default: uuid4}",
            "write this as `default`",
        ),
        ("users.user_id}", "users.user_id, on_update: cascade}", "says whose the row is"),
        ("users.user_id}", "users.user_id, on_delete: set null}", "says whose the row is"),
        (
            "{name: box, type: String(36)}",
            "{name: box, type: String(36), foreign_key: users.user_id}",
            "name one of them as `user_id_field`",
        ),
    ],
)
def test_what_cannot_be_encrypted_is_told_with_its_place(
    open_timber: OpenTimber, good: str, bad: str, problem: str
) -> None:
    broken = GOOD.replace(good, bad)
    assert broken != GOOD

    with pytest.raises(ModelFileError) as caught:
        open_timber(broken)

    assert any(problem in one and ".yaml:" in one for one in caught.value.problems), (
        caught.value.problems
    )


def test_nothing_points_to_what_is_encrypted(open_timber: OpenTimber) -> None:
    other = """
  - name: Reply
    table_name: replies
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: code, type: String(20), foreign_key: letters.code}
"""

    with pytest.raises(ModelFileError, match="a foreign key of 'replies' points to it"):
        open_timber(GOOD + other)


def test_what_is_unique_or_indexed_is_so_by_the_column_of_the_index(
    open_timber: OpenTimber,
) -> None:
    letter = open_timber(GOOD).models.get("Letter")

    table = letter.__table__
    indexes = {index.name: [column.name for column in index.columns] for index in table.indexes}
    unique = {
        tuple(column.name for column in one.columns)
        for one in table.constraints
        if isinstance(one, UniqueConstraint)
    }
    assert ("code",) not in unique
    assert ["box", "code_index"] in indexes.values()
    assert ["code_index"] in indexes.values()
    assert not hasattr(letter, "code_index")


def test_type_checkers_know_what_is_in_an_encrypted_column(open_timber: OpenTimber) -> None:
    stub = stub_text([open_timber(GOOD).models.get("Letter")])

    assert "price: Mapped[Decimal | None]" in stub
    assert "code: Mapped[str | None]" in stub
    assert "code_index" not in stub


def test_whose_a_row_is_a_column_that_may_be_empty_tells_only_where_the_model_says_so(
    open_timber: OpenTimber,
) -> None:
    unsaid = GOOD.replace("    gdpr: {enabled: true}\n", "")
    denied = GOOD.replace("    gdpr: {enabled: true}\n", "    gdpr: {enabled: false}\n")
    mandatory = unsaid.replace("users.user_id}", "users.user_id, nullable: false}")

    ways = [
        open_timber(one).models.get("Letter").__table__.info["sealed"].link
        for one in (GOOD, denied, mandatory)
    ]

    assert ways == ["user_id", None, "user_id"]
    with pytest.raises(ModelFileError, match=r"whose key encrypts it\? user_id may say so"):
        open_timber(unsaid)
