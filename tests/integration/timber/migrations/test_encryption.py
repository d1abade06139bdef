"""Steps seal, open and re-seal the rows that are there, and nothing is left half done."""

import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.forks import Forks
from tests.sealed_project import SealedProject
from typing_extensions import override

from timber.common.clock import SystemClock
from timber.common.encryption.base import subject_of
from timber.common.errors import (
    DataLossError,
    DuplicateError,
    MigrationError,
    SchemaMismatchError,
    TamperedError,
)
from timber.common.migrations.migrator import Migrator
from timber.common.migrations.sealed_rows import SealFailpoint
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
AGED = "age, type: Integer, nullable: false, default: 7"
FIELDS = "[{name: email, searchable: true, normalise: casefold}, age, born, facts]"


def sealed(fields: str = FIELDS, models: str = PLAIN) -> str:
    return f"{models}    encryption: {{enabled: true, fields: {fields}}}\n"


class PeopleProject(SealedProject):
    """A project with people."""

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
    {
        "id": 1,
        "owner_id": "ada",
        "other_id": "bob",
        "email": "Ada@x.org",
        "age": 7,
        "facts": {"a": 1},
    },
    {
        "id": 2,
        "owner_id": "bob",
        "other_id": None,
        "email": "bob:'%x\\",
        "age": None,
        "facts": None,
    },
    {"id": 3, "owner_id": None, "other_id": None, "email": "c", "age": 1, "facts": []},
)


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> PeopleProject:
    url = None
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    return PeopleProject(tmp_path, database_url=url)


@pytest.fixture
def filled(project: PeopleProject) -> PeopleProject:
    """Give a project with three persons in plain text."""
    project.step(PLAIN)
    project.fill(*ROWS)
    return project


def test_the_flag_seals_the_rows_that_are_there_and_back(filled: PeopleProject) -> None:
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
    "a renamed table": BASE.replace("table_name: people", "table_name: persons\n    was: people"),
    "a renamed key": BASE.replace("name: id, type: Integer", "name: nr, was: id, type: Integer"),
    "a renamed link": BASE.replace("name: owner_id", "name: whose, was: owner_id").replace(
        "user_id_field: owner_id", "user_id_field: whose"
    ),
    "a renamed column": BASE.replace("name: email, type", "name: mail, was: email, type").replace(
        "name: email, sea", "name: mail, sea"
    ),
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


def there_and_back(project: PeopleProject, changes: Iterable[str]) -> None:
    project.step(BASE)
    project.fill(*ROWS)
    there = project.people()

    for change in changes:
        project.step(CHANGES[change], allow_data_loss=change in LESS)
        assert values(project.people()) == values(there), change
        project.back(BASE)
        assert project.people() == there, change


def test_rows_stay_what_they_are_and_sealed_there_and_back(project: PeopleProject) -> None:
    there_and_back(project, ["all of that", "a longer text"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rows_stay_what_they_are_whatever_changes(project: PeopleProject) -> None:
    there_and_back(project, CHANGES)


def test_the_way_back_makes_a_unique_index_unique_again_where_it_was(
    project: PeopleProject,
) -> None:
    index = '{name: one_of_an_age, columns: [age], unique: true, where: "id > 3"}'
    plain = PLAIN.replace("String(40), unique", "String(40), index: true, unique").replace(
        "    gdpr", f"    indexes: [{index}]\n    gdpr"
    )
    project.step(plain)
    project.fill(*ROWS)
    before = project.people()
    fields = "[{name: email, searchable: true}, {name: age, searchable: true}]"

    project.step(sealed(fields, plain))
    project.back(plain)

    assert project.people() == before
    project.run("INSERT INTO people (id, email, age) VALUES (4, 'd', 7)")
    for second in ("(5, 'd', 8)", "(5, 'e', 7)"):
        with pytest.raises(DuplicateError):
            project.run(f"INSERT INTO people (id, email, age) VALUES {second}")


# ------------------------------------------------------------------ what is refused


def test_a_person_whose_keys_were_destroyed_leaves_null_when_that_is_said(
    project: PeopleProject,
) -> None:
    models = sealed("[age]")
    project.step(models)
    project.fill(*ROWS)
    project.keystore.erase(subject_of("users", "ada"))
    project.say(PLAIN)

    with project.migrator() as migrator:
        plan = migrator.plan()
        migrator.write(plan)
        told = [(loss.column, loss.rows, loss.is_protection) for loss in plan.losses]
        with pytest.raises(DataLossError, match="keys of its person were destroyed: 1 row"):
            migrator.apply()
        assert project.rows("SELECT count(*) FROM people WHERE age IS NOT NULL") == [(2,)]
        migrator.apply(allow_data_loss=True)

    assert told == [("age", 2, True), ("age", 1, False)]
    assert [row["age"] for row in project.people()] == [None, None, 1]


def test_what_was_tampered_with_stops_the_step(project: PeopleProject) -> None:
    project.step(sealed("[age]"))
    project.fill(*ROWS)
    project.run("UPDATE people SET age = (SELECT age FROM people WHERE id = 1) WHERE id = 3")

    with pytest.raises(TamperedError):
        project.step(PLAIN, allow_data_loss=True)


def test_equal_values_that_must_be_unique_are_refused_and_nothing_is_changed(
    filled: PeopleProject,
) -> None:
    filled.run("UPDATE people SET email = 'ADA@X.ORG' WHERE id = 3")
    before = filled.people()

    with pytest.raises(DuplicateError):
        filled.step(sealed())

    for step in filled.steps.glob("0002*"):
        step.unlink()
    filled.say(PLAIN)
    assert filled.people() == before


def test_another_type_is_refused_with_the_way_to_it(project: PeopleProject) -> None:
    project.step(sealed("[age]"))
    project.say(sealed("[age]").replace("age, type: Integer", "age, type: String(9)"))

    with project.migrator() as migrator, pytest.raises(MigrationError, match="in one step"):
        migrator.plan()


def test_what_does_not_fit_the_encrypted_type_is_counted(filled: PeopleProject) -> None:
    models = sealed("[email]").replace("String(40), unique: true", "String(3)")
    filled.say(models)

    with filled.migrator() as migrator:
        [loss] = migrator.plan().losses

    assert (loss.column, loss.rows) == ("email", 2)
    filled.step(allow_data_loss=True)
    assert [row["email"] for row in filled.people()] == ["Ada", "bob", "c"]


def test_a_new_encrypted_column_gets_its_default_sealed_in_every_row(
    filled: PeopleProject,
) -> None:
    column = '      - {name: plan, type: String(9), nullable: false, default: "it\'s"}\n'
    models = PLAIN.replace("    gdpr", f"{column}    gdpr")

    filled.step(sealed("[{name: plan, searchable: true}]", models))

    assert [row["plan"] for row in filled.people()] == ["it's"] * 3
    filled.back(PLAIN)
    filled.people()


def test_a_database_that_is_encrypted_otherwise_is_not_opened(filled: PeopleProject) -> None:
    filled.say(sealed())
    with pytest.raises(SchemaMismatchError, match="encrypted nothing, in the models age"):
        filled.people()
    filled.step(sealed("[age]"))
    filled.say(sealed("[age]").replace("user_id_field: owner_id", "user_id_field: other_id"))
    with pytest.raises(SchemaMismatchError, match="in the models age, but otherwise"):
        filled.people()
    filled.say(PLAIN)
    with pytest.raises(SchemaMismatchError, match="timber migrate plan"):
        filled.people()


def test_a_step_planned_on_one_database_runs_on_the_other(
    filled: PeopleProject, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    filled.step(sealed())
    url = f"sqlite:///{tmp_path / 'other.db'}"
    if filled.database_url.startswith("sqlite"):
        url = str(request.getfixturevalue("postgresql_url"))
    other = PeopleProject(tmp_path, database_url=url)
    other.say(PLAIN)
    second = max(filled.steps.glob("0*"))
    kept = second.read_text("utf-8")
    second.unlink()
    with other.migrator() as migrator:
        migrator.apply()
    other.fill(*ROWS)
    before = other.people()

    second.write_text(kept, "utf-8")
    other.say(sealed())
    with other.migrator() as migrator:
        migrator.apply()

    assert other.people() == before
    other.back(PLAIN)
    assert other.people() == before


def test_how_far_a_step_is_gets_told(filled: PeopleProject) -> None:
    filled.say(sealed())
    told: list[str] = []

    with filled.migrator() as migrator:
        migrator.write(migrator.plan())
        migrator.apply(on_progress=lambda progress: told.append(progress.doing))

    assert "encrypt or decrypt people, 3 rows done" in told


# ------------------------------------------------------------------ what stays behind


def test_no_plain_text_stays_in_the_files(tmp_path: Path) -> None:
    project = PeopleProject(tmp_path)
    project.step(PLAIN)
    markers = [f"canary-{number}@example" for number in range(3000)]
    project.fill(
        *({"id": number, "email": marker} for number, marker in enumerate(markers, start=1))
    )
    project.run("DELETE FROM people WHERE id > 2500")

    project.step(sealed("[{name: email, searchable: true}]"))

    for file in sorted(tmp_path.rglob("*")):
        if file.is_file():
            assert b"canary-" not in file.read_bytes(), file
    assert len(project.people()) == 2500


KILLED = tuple(SealFailpoint)
"""The places at which a process is killed here."""
DOOMED = """
import os, signal, sys
from pathlib import Path
from tests.integration.timber.migrations.test_encryption import KeptProject
from timber.common.failpoints import armed

folder, url, point = sys.argv[1:]

def die(reached):
    if reached == point:
        os.kill(os.getpid(), signal.SIGKILL)

with KeptProject(Path(folder), database_url=url).migrator() as migrator, armed(die):
    migrator.apply()
"""


class KeptProject(PeopleProject):
    """A project whose keys are kept in files, so that processes share them."""

    @override
    @contextmanager
    def opened(self, **changes: Any) -> Generator[Timber]:
        settings = self.settings(**changes, keystore=str(self.models.parent / "keys"))
        with Timber().opened(settings) as timber:
            yield timber


def test_a_kill_leaves_the_old_rows_or_the_new_ones(project: PeopleProject, forks: Forks) -> None:
    kept = KeptProject(project.models.parent, database_url=project.database_url)
    kept.step(PLAIN)
    kept.fill(*ROWS)
    before = kept.people()
    with kept.opened() as timber:
        timber.keys.need(may_create=True)
    kept.say(sealed())
    with kept.migrator() as migrator:
        migrator.write(migrator.plan())

    for point in KILLED:
        killed = forks.run(DOOMED, kept.models.parent, kept.database_url, point)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        with kept.migrator() as migrator:
            is_new = not migrator.status().pending
        assert is_new == (point is SealFailpoint.COMMITTED)
        if not is_new:
            assert kept.rows("SELECT email FROM people ORDER BY id")[2] == ("c",)

    assert kept.people() == before


def test_a_sealed_column_that_must_not_be_null_any_more_gets_its_default(
    project: PeopleProject,
) -> None:
    project.step(sealed())
    project.fill(*ROWS)
    before = project.people()

    project.step(sealed(models=PLAIN.replace("age, type: Integer", AGED)))

    after = project.people()
    assert [one["age"] for one in before] == [7, None, 1]
    assert after == [{**one, "age": 7 if one["age"] is None else one["age"]} for one in before]
    assert project.rows("SELECT count(*) FROM people WHERE age IS NULL") == [(0,)]


def test_a_sealed_column_without_values_cannot_be_one_that_must_have_them(
    project: PeopleProject,
) -> None:
    project.step(sealed())
    project.fill(*ROWS)
    required = PLAIN.replace("age, type: Integer", "age, type: Integer, nullable: false")
    project.say(sealed(models=required))

    with project.migrator() as migrator, pytest.raises(MigrationError, match="1 of its rows"):
        migrator.plan()


def test_a_column_that_is_opened_and_renamed_is_sealed_under_its_old_name_on_the_way_back(
    project: PeopleProject,
) -> None:
    project.step(sealed())
    project.fill(*ROWS)
    before = project.people()
    renamed = PLAIN.replace("name: age,", "name: years, was: age,")

    project.step(sealed(FIELDS.replace("age, ", ""), renamed), allow_data_loss=True)
    assert [one["years"] for one in project.people()] == [one["age"] for one in before]
    project.back(sealed())

    assert project.people() == before
