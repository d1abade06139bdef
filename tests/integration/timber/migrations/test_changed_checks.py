"""A check that says something else under the same name is a change, however it is written."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import DatabaseError

pytestmark = pytest.mark.integration

BASE = """
    models:
      - name: Thing
        table_name: things
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: size, type: Integer, check: "SIZE"}
          - {name: kind, type: String(20), check: "KIND"}
          - {name: price, type: "Numeric(10, 2)", check: "PRICE"}
          - {name: note, type: Text, check: "NOTE"}
          - {name: is_open, type: Boolean, nullable: false, default: false}
        checks:
          - {name: sane, condition: "SANE"}
"""
CONDITIONS = {
    "SIZE": "size > 0 and size < 100",
    "KIND": "kind in ('a', 'b:c', '50%')",
    "PRICE": "price >= 0.5 or price is null",
    "NOTE": "not (note like 'x%') and length(note) < 10",
    "SANE": "is_open or size is null",
}
OTHERS = {
    "SIZE": "size > 1 and size < 100",
    "KIND": "kind in ('a', 'b:c')",
    "PRICE": "price >= 0.5 and price is null",
    "NOTE": "note like 'x%' and length(note) < 10",
    "SANE": "not is_open or size is null",
}


ELSEWHERE = {"file": "postgresql", "postgresql": "file"}


@pytest.fixture
def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return what gives the URL of an empty database of a kind."""

    def url_of(kind: str) -> str:
        if kind == "file":
            return f"sqlite:///{tmp_path}/data.db"
        url: str = request.getfixturevalue("postgresql_url")
        return url

    return url_of


@pytest.fixture(params=["file", "postgresql"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, url_of: Callable[[str], str]
) -> Project:
    return Project(tmp_path, database_url=url_of(request.param))


def said(**changed: str) -> str:
    models = BASE
    for name, condition in {**CONDITIONS, **changed}.items():
        models = models.replace(f'"{name}"', f'"{condition}"')
    return models


def drift(project: Project) -> tuple[str, ...]:
    with project.migrator() as migrator:
        status = migrator.status()
    assert not status.pending
    return status.drift


def test_what_was_applied_is_no_change(project: Project) -> None:
    project.step(said())

    assert drift(project) == ()


@pytest.mark.parametrize("kind", ["file", "postgresql"])
def test_nor_is_what_was_planned_on_the_other_database(
    tmp_path: Path, url_of: Callable[[str], str], kind: str
) -> None:
    Project(tmp_path, database_url=url_of(ELSEWHERE[kind])).step(said())
    project = Project(tmp_path, database_url=url_of(kind))

    with project.migrator() as migrator:
        migrator.apply()

    assert drift(project) == ()


def test_another_condition_is_a_step_there_and_back(project: Project) -> None:
    for name, condition in OTHERS.items():
        project.step(said())
        first = {*project.steps.iterdir()}
        project.say(said(**{name: condition}))
        found = drift(project)

        project.step()
        after = drift(project)
        with project.migrator() as migrator:
            migrator.roll_back()
        for step in {*project.steps.iterdir()} - first:
            step.unlink()

        assert len(found) == 2, "the old one goes, the new one comes"
        assert all(f"ck_things_{name.lower()}" in one for one in found)
        assert after == ()
        project.say(said())
        assert drift(project) == ()


def test_the_new_condition_holds(project: Project) -> None:
    project.step(said())
    project.run("INSERT INTO things (id, size, is_open) VALUES (1, 50, true)")

    project.step(said(SIZE="size > 40"))

    with pytest.raises(DatabaseError):
        project.run("INSERT INTO things (id, size, is_open) VALUES (2, 30, true)")
    with pytest.raises(DatabaseError):
        project.step(said(SIZE="size > 60"))


def test_a_column_is_renamed_in_its_condition(project: Project) -> None:
    project.step(said())

    renamed = said().replace("{name: size,", "{name: extent, was: size,")
    project.step(
        renamed.replace("size > 0 and size", "extent > 0 and extent").replace(
            "or size is", "or extent is"
        )
    )

    assert drift(project) == ()
