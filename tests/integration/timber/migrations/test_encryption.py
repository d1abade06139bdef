"""Steps seal, open and re-seal the rows that are there, and nothing is left half done."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from tests.fake_keystore import FakeKeystore
from tests.unit.timber.migrations.conftest import Project

from timber.common.clock import SystemClock
from timber.common.encryption.base import subject_of
from timber.common.errors import DataLossError, DuplicateError, MigrationError, SchemaMismatchError
from timber.common.migrations.migrator import Migrator
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

PLAIN = """
models:
  - name: Person
    table_name: people
    columns:
      - {name: id, type: Integer, primary_key: true, default: 0}
      - {name: owner_id, type: String(36), foreign_key: users.user_id}
      - {name: other_id, type: String(36), foreign_key: users.user_id}
      - {name: email, type: String(40), unique: true, nullable: false}
      - {name: age, type: Integer}
      - {name: born, type: Date}
      - {name: facts, type: JSON}
    gdpr: {enabled: false, user_id_field: owner_id}
"""
FIELDS = "[{name: email, searchable: true, normalise: casefold}, age, born, facts]"


def sealed(fields: str = FIELDS, models: str = PLAIN) -> str:
    return f"{models}    encryption: {{enabled: true, fields: {fields}}}\n"


class SealedProject(Project):
    """A project that keeps its keys from one opening to the next."""

    def __init__(self, folder: Path, *, database_url: str | None = None) -> None:
        super().__init__(folder, database_url=database_url)
        self.keystore = FakeKeystore()

    @contextmanager
    def opened(self, **changes: Any) -> Generator[Timber]:
        with Timber(keystore=self.keystore).opened(self.settings(**changes)) as timber:
            yield timber

    @contextmanager
    def migrator(self) -> Generator[Migrator]:
        with self.opened() as timber:
            yield Migrator(
                engine=timber.database.engine,
                metadata=timber.base.metadata,
                folder=self.steps,
                clock=SystemClock(),
                keys=timber.keys.opened_keyring,
            )

    @contextmanager
    def connection(self) -> Generator[Any]:
        with self.opened() as timber, timber.database.engine.begin() as connection:
            yield connection

    def fill(self, *rows: dict[str, Any]) -> None:
        with self.opened() as timber, timber.database.engine.begin() as connection:
            tables = timber.base.metadata.tables
            connection.execute(insert(tables["users"]), [_user("ada"), _user("bob")])
            connection.execute(insert(tables["people"]), list(rows))

    def back(self, models: str) -> None:
        """Take back the last step, with its file, and return to the models of before."""
        with self.migrator() as migrator:
            step = migrator.roll_back(allow_data_loss=True)
        step.path.unlink()
        self.say(models)

    def people(self) -> list[dict[str, Any]]:
        """Return all persons as the models read them, and see that nothing has drifted."""
        with self.opened(create_tables=True) as timber:
            with timber.database.session_scope() as session:
                person = timber.models.get("Person")
                names = [column.key for column in person.__mapper__.column_attrs]
                found = [
                    {name: getattr(row, name) for name in names if not name.endswith("_index")}
                    for row in session.scalars(select(person).order_by(person.__table__.c[0]))
                ]
            migrator = Migrator(
                engine=timber.database.engine,
                metadata=timber.base.metadata,
                folder=self.steps,
                clock=SystemClock(),
                keys=timber.keys.opened_keyring,
            )
            assert migrator.status().is_current, migrator.status()
        return found


def _user(name: str) -> dict[str, Any]:
    return {"user_id": name, "email": f"{name}@y.org", "username": name}


ROWS: tuple[dict[str, Any], ...] = (
    {"id": 1, "owner_id": "ada", "other_id": "bob", "email": "Ada@x.org", "age": 7, "facts": {"a": 1}},
    {"id": 2, "owner_id": "bob", "other_id": None, "email": "bob:'%x\\", "age": None, "facts": None},
    {"id": 3, "owner_id": None, "other_id": None, "email": "c", "age": 1, "facts": []},
)


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> SealedProject:
    url = None
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    return SealedProject(tmp_path, database_url=url)


@pytest.fixture
def filled(project: SealedProject) -> SealedProject:
    """Give a project with three persons in plain text."""
    project.step(PLAIN)
    project.fill(*ROWS)
    return project


def test_the_flag_seals_the_rows_that_are_there_and_back(filled: SealedProject) -> None:
    before = filled.people()

    filled.step(sealed())

    assert filled.people() == before
    raw = filled.rows("SELECT email, age, facts FROM people")
    assert {bytes(one)[:2] for row in raw for one in row if one is not None} == {b"\x54\x01"}
    with filled.opened() as timber, timber.database.session_scope() as session:
        person = timber.models.get("Person")
        assert session.query(person).filter_by(email="ADA@X.org").one().id == 1
    with filled.migrator() as migrator, pytest.raises(DataLossError, match="plain text"):
        migrator.roll_back()
    assert filled.people() == before
    filled.back(PLAIN)
    assert filled.people() == before


BASE = sealed("[{name: email, searchable: true}, age]")
CHANGES = {
    "a field more": sealed("[{name: email, searchable: true}, age, facts]"),
    "a field less": sealed("[{name: email, searchable: true}]"),
    "searchable": sealed("[{name: email, searchable: true}, {name: age, searchable: true}]"),
    "searchable and indexed": sealed(
        "[{name: email, searchable: true}, {name: age, searchable: true}]"
    ).replace("age, type: Integer", "age, type: Integer, index: true"),
    "found otherwise": sealed("[{name: email, searchable: true, normalise: casefold}, age]"),
    "another person": BASE.replace("user_id_field: owner_id", "user_id_field: other_id"),
    "a longer text": BASE.replace("String(40), unique", "String(90), unique"),
    "a bigger number": BASE.replace("age, type: Integer", "age, type: BigInteger"),
    "may be null": BASE.replace(", nullable: false", ""),
    "not unique": BASE.replace(", unique: true", ""),
    "a renamed table": BASE.replace(
        "table_name: people", "table_name: persons\n    was: people"
    ),
    "a renamed key": BASE.replace("name: id, type: Integer", "name: nr, was: id, type: Integer"),
    "a renamed link": BASE.replace("name: owner_id", "name: whose, was: owner_id").replace(
        "user_id_field: owner_id", "user_id_field: whose"
    ),
    "a renamed column": BASE.replace(
        "name: email, type", "name: mail, was: email, type"
    ).replace("name: email, sea", "name: mail, sea"),
    "all of that": sealed(
        "[{name: mail, searchable: true, normalise: strip}, facts]",
        PLAIN.replace("name: email, type", "name: mail, was: email, type")
        .replace("table_name: people", "table_name: persons\n    was: people")
        .replace("user_id_field: owner_id", "user_id_field: other_id"),
    ),
}
LESS = {"a field less", "all of that"}


def values(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [list(row.values()) for row in rows]


def test_rows_stay_what_they_are_and_sealed_there_and_back(project: SealedProject) -> None:
    project.step(BASE)
    project.fill(*ROWS)
    there = project.people()

    for change, models in CHANGES.items():
        project.step(models, allow_data_loss=change in LESS)
        assert values(project.people()) == values(there), change
        project.back(BASE)
        assert project.people() == there, change
