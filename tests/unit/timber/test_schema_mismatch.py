"""A Timber does not open over tables that are not those of its models."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Enum, Table, create_engine, text

from timber.common.errors import SchemaMismatchError
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

PARENT = """
  - name: Parent
    table_name: parents
    columns:
      - {name: id, type: Integer, primary_key: true}
"""
BEFORE = """
  - name: Child
    table_name: children
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: label, type: String(10)}
      - {name: parent_id, type: Integer}
      - {name: mood, type: "Enum(calm, glad)"}
"""
CHANGES = {
    "children.born is missing": ("String(10)}", "String(10)}\n      - {name: born, type: Date}"),
    r"children.label is of type VARCHAR\(10\), in the models VARCHAR\(20\)": (
        "String(10)",
        "String(20)",
    ),
    "children.label is of type .*, in the models INTEGER": ("String(10)", "Integer"),
    "children.label may be null, in the models it must not be null": (
        "String(10)",
        "String(10), nullable: false",
    ),
    r"children \(label\) is not unique": ("String(10)", "String(10), unique: true"),
    r"children \(parent_id\) is no foreign key": (
        "parent_id, type: Integer",
        "parent_id, type: Integer, foreign_key: parents.id",
    ),
    "children.mood is one of calm, glad, in the models one of calm, sad": ("glad", "sad"),
    "children.mood is one of calm, glad, in the models one of calm, glad, sad": (
        "glad",
        "glad, sad",
    ),
    "children.label is any text, in the models one of a, b": (
        "String(10)",
        "'Enum(a, b)'",
    ),
    "the primary key of children is another one": (
        "label, type: String(10)",
        "label, type: String(10), primary_key: true",
    ),
}


def opened(folder: Path, models: str) -> None:
    directory = folder / "models"
    directory.mkdir(exist_ok=True)
    (directory / "models.yaml").write_text(f"models:\n{PARENT}{models}", encoding="utf-8")
    settings = TimberSettings(
        database_url=f"sqlite:///{folder / 'data.db'}",
        model_config_dirs=(directory,),
        packaged_models=False,
    )
    with Timber().opened(settings):
        pass


@pytest.mark.parametrize("found", CHANGES, ids=lambda found: found.split(" in the")[0])
def test_what_differs_is_named_with_the_cure(tmp_path: Path, found: str) -> None:
    opened(tmp_path, BEFORE)
    old, new = CHANGES[found]

    with pytest.raises(SchemaMismatchError, match=found) as caught:
        opened(tmp_path, BEFORE.replace(old, new))

    assert "timber migrate plan" in str(caught.value)


def test_a_column_that_must_be_given_and_is_in_no_model_is_named(tmp_path: Path) -> None:
    opened(tmp_path, BEFORE.replace("String(10)", "String(10), nullable: false"))

    with pytest.raises(SchemaMismatchError, match=r"children\.label is in no model"):
        opened(tmp_path, BEFORE.replace("      - {name: label, type: String(10)}\n", ""))


def test_a_column_that_may_be_null_and_is_in_no_model_harms_nobody(tmp_path: Path) -> None:
    opened(tmp_path, BEFORE)

    opened(tmp_path, BEFORE.replace("      - {name: label, type: String(10)}\n", ""))


def test_an_enum_written_by_hand_without_a_check_is_its_owners_business(tmp_path: Path) -> None:
    timber = Timber()
    Table("cards", timber.base.metadata, Column("suit", Enum("a", "b", native_enum=False)))
    settings = TimberSettings(database_url=f"sqlite:///{tmp_path / 'data.db'}")

    for _ in range(2):
        with timber.opened(settings):
            assert timber.database.check_connection()


def test_every_difference_is_named_at_once(tmp_path: Path) -> None:
    opened(tmp_path, BEFORE)
    after = BEFORE.replace("String(10)", "Text, unique: true").replace("Integer}", "BigInteger}")

    with pytest.raises(SchemaMismatchError) as caught:
        opened(tmp_path, after)

    assert str(caught.value).count("\n  - ") == 3


def test_a_database_that_differs_is_left_as_it_was(tmp_path: Path) -> None:
    opened(tmp_path, BEFORE)
    another = BEFORE.replace("Child", "New").replace("children", "news")

    with pytest.raises(SchemaMismatchError):
        opened(tmp_path, BEFORE.replace("String(10)", "Text") + another)

    with create_engine(f"sqlite:///{tmp_path / 'data.db'}").connect() as connection:
        found = connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'news'"))
        assert found.first() is None
