"""Every part of the dialect survives the way through a step, on every database."""

from pathlib import Path

import pytest
from tests.unit.timber.migrations.conftest import Project

from timber.common.runtime import Timber

MODELS = """
    models:
      - name: Kind
        table_name: kinds
        mixins: [TimestampMixin, SoftDeleteMixin]
        columns:
          - {name: id, type: Uuid, primary_key: true, default: uuid7}
          - {name: label, type: String(50), unique: true, nullable: false}
          - {name: state, type: "Enum(a, b)", nullable: false, default: a}
          - {name: size, type: SmallInteger, server_default: 5}
          - {name: at, type: DateTime, server_default: now}
          - {name: ok, type: Boolean, server_default: true}
          - {name: price, type: "Numeric(10, 2)", check: price > 0}
          - {name: note, type: Text, server_default: "it's"}
          - {name: data, type: JSON, server_default: {}}
        indexes:
          - {name: ix_kinds_partial, columns: [state], where: size > 3}
          - {name: ix_kinds_two, columns: [state, size], unique: true}
      - name: Child
        table_name: childs
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: kind_id, type: Uuid, foreign_key: kinds.id, on_delete: cascade}
          - {name: parent_id, type: Integer, foreign_key: childs.id, on_delete: set null}
"""


@pytest.fixture(params=["file", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    url = None if request.param == "file" else request.getfixturevalue("postgresql_url")
    return Project(tmp_path, database_url=url)


def test_what_a_step_makes_is_what_the_models_say(project: Project) -> None:
    project.step(MODELS)

    with project.migrator() as migrator:
        assert migrator.plan().changes == ()
    with Timber().opened(project.settings(create_tables=True)):
        pass


def test_what_timber_creates_is_what_the_models_say(project: Project) -> None:
    project.say(MODELS)
    with Timber().opened(project.settings(create_tables=True)):
        pass

    with project.migrator() as migrator:
        assert migrator.plan().changes == ()
