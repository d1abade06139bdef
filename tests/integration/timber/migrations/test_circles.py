"""Tables that point to each other come, change and go as a circle, on every database."""

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.unit.timber.migrations.conftest import Project

from timber.common.database.schema import drop_tables
from timber.common.runtime import Timber


def model(name: str, *targets: str) -> dict[str, Any]:
    keys = [
        {"name": f"{target}_id", "type": "Integer", "foreign_key": f"{target}.id"}
        for target in targets
    ]
    identity = {"name": "id", "type": "Integer", "primary_key": True}
    return {"name": name.upper(), "table_name": name, "columns": [identity, *keys]}


def written(models: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"models": list(models)})


def assert_agreeing(project: Project) -> None:
    with Timber().opened(project.settings(create_tables=True)):
        pass
    with project.migrator() as migrator:
        assert migrator.status().is_current


TWO = [model("a", "b"), model("b", "a")]
THREE = [model("a", "b"), model("b", "c"), model("c", "a")]
TWO_EITHER_WAY = [*permutations(TWO)]
ORDERS = [*TWO_EITHER_WAY, *permutations(THREE)]


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    url = None if request.param == "file" else request.getfixturevalue("postgresql_url")
    return Project(tmp_path, database_url=url)


def named(models: Sequence[dict[str, Any]]) -> str:
    return "".join(one["table_name"] for one in models)


@pytest.mark.parametrize("circle", ORDERS, ids=named)
def test_a_circle_is_made_and_taken_back_whatever_the_order_of_the_file(
    project: Project, circle: Sequence[dict[str, Any]]
) -> None:
    project.step(written(circle))
    assert_agreeing(project)

    with project.migrator() as migrator:
        migrator.roll_back()

    with project.connection() as connection:
        assert not {"a", "b", "c"} & {*inspect(connection).get_table_names()}


@pytest.mark.parametrize("circle", TWO_EITHER_WAY, ids=named)
def test_a_new_table_closes_a_circle(project: Project, circle: Sequence[dict[str, Any]]) -> None:
    project.step(written([model("a")]))

    project.step(written(circle))

    assert_agreeing(project)
    with project.migrator() as migrator:
        migrator.roll_back()
    project.say(written([model("a")]))
    with Timber().opened(project.settings(create_tables=True)) as timber:
        assert "b" not in inspect(timber.database.engine).get_table_names()


@pytest.mark.parametrize("circle", TWO_EITHER_WAY, ids=named)
def test_a_circle_goes_and_comes_back(project: Project, circle: Sequence[dict[str, Any]]) -> None:
    project.step(written(circle))
    project.step(written([]))

    with project.connection() as connection:
        assert not {"a", "b"} & {*inspect(connection).get_table_names()}

    with project.migrator() as migrator:
        migrator.roll_back()

    with project.connection() as connection:
        pointing = {name: inspect(connection).get_foreign_keys(name) for name in ("a", "b")}
    assert {name: [key["referred_table"] for key in keys] for name, keys in pointing.items()} == {
        "a": ["b"],
        "b": ["a"],
    }
    project.say(written(circle))
    with Timber().opened(project.settings(create_tables=True)):
        pass  # nothing is missed


def test_a_circle_with_rows_of_its_own_children_can_be_dropped(project: Project) -> None:
    circle = [model("a", "a", "b"), model("b", "a", "b")]
    for one in circle:
        for column in one["columns"][1:]:
            column["on_delete"] = "cascade"
    project.say(written(circle))

    with Timber().opened(project.settings(create_tables=True)) as timber:
        engine, metadata = timber.database.engine, timber.base.metadata
        metadata.drop_all(engine)
        metadata.create_all(engine)
        drop_tables(engine, metadata)

        assert inspect(engine).get_table_names() == []
