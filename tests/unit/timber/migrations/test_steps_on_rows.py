"""What a step does to the rows that are there: fills, conversions, rebuilds and their limits."""

import uuid
from datetime import UTC

import pytest
from tests.unit.timber.migrations.conftest import Project

from timber.common.errors import MigrationError, SchemaMismatchError
from timber.common.runtime import Timber

BASE = """
    models:
      - name: Owner
        table_name: owners
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: label, type: String(10)}
      - name: Thing
        table_name: things
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: owner_id, type: Integer, foreign_key: owners.id, nullable: false, index: true}
"""
LABEL = "{name: label, type: String(10)}"


@pytest.fixture
def filled(project: Project) -> Project:
    """Give a project with two owners, each with a thing."""
    project.step(BASE)
    project.run(
        "INSERT INTO owners VALUES (1, '12'), (2, 'twelve')",
        "INSERT INTO things VALUES (1, 1), (2, 2)",
    )
    return project


def changed(column: str) -> str:
    return BASE.replace(LABEL, column)


def test_a_new_column_gets_its_default_in_every_row(filled: Project) -> None:
    new = '{name: plan, type: String(9), nullable: false, default: "it\'s:5"}'
    filled.step(changed(f"{LABEL}\n          - {new}"))

    assert filled.rows("SELECT plan FROM owners") == [("it's:5",), ("it's:5",)]


def test_a_new_id_is_another_in_every_row(filled: Project) -> None:
    new = "{name: key, type: String(36), nullable: false, default: uuid4, unique: true}"
    filled.step(changed(f"{LABEL}\n          - {new}"))

    [(one,), (other,)] = filled.rows("SELECT key FROM owners")
    assert one != other
    assert uuid.UUID(one).version == uuid.UUID(other).version == 4
    assert str(uuid.UUID(one)) == one


def test_timestamps_can_be_added_to_a_table_with_rows(filled: Project) -> None:
    mixins = "\n        mixins: [TimestampMixin]"
    filled.step(BASE.replace("table_name: owners", f"table_name: owners{mixins}"))

    with (
        Timber().opened(filled.settings()) as timber,
        timber.database.session_scope() as session,
    ):
        owners = session.query(timber.models.get("Owner")).all()
        assert {owner.created_at.tzinfo for owner in owners} == {UTC}


def test_a_new_column_without_a_default_must_be_nullable(filled: Project) -> None:
    filled.say(changed("{name: kind, type: Integer, nullable: false}"))

    with (
        filled.migrator() as migrator,
        pytest.raises(MigrationError, match=r"owners\.kind must not be null, and 2 of its rows"),
    ):
        migrator.plan()


def test_a_rebuilt_table_keeps_rows_indexes_and_those_that_point_to_it(filled: Project) -> None:
    filled.step(changed("{name: label, type: String(10), nullable: false, default: none}"))

    assert filled.rows("SELECT id, owner_id FROM things") == [(1, 1), (2, 2)]
    assert filled.rows("SELECT sql FROM sqlite_master WHERE name = 'ix_things_owner_id'")
    assert filled.rows("PRAGMA foreign_key_check") == []
    assert filled.rows("PRAGMA foreign_keys") == [(1,)]


def test_text_that_is_no_number_is_counted_before_it_is_lost(filled: Project) -> None:
    filled.say(changed("{name: label, type: Integer}"))

    with filled.migrator() as migrator:
        [loss] = migrator.plan().losses

    assert (loss.table, loss.column, loss.rows) == ("owners", "label", 1)
    filled.step(allow_data_loss=True)
    assert filled.rows("SELECT label FROM owners ORDER BY id") == [(12,), (None,)]


def test_a_new_primary_key_is_refused(filled: Project) -> None:
    filled.say(BASE.replace("index: true", "primary_key: true"))

    with filled.migrator() as migrator, pytest.raises(MigrationError, match="the primary key of"):
        migrator.plan()


def test_what_a_step_written_by_hand_destroys_is_refused_too(filled: Project) -> None:
    filled.step(BASE.replace("String(10)", "String(20)"))
    file = filled.steps / "0003_by_hand.py"
    file.write_text(
        "from alembic import op\n"
        "revision = '0003_by_hand'\n"
        "down_revision = '0002_make_owners_label_of_type_varchar_20'\n"
        "def upgrade():\n    op.drop_table('things')\n"
        "def downgrade():\n    pass\n",
        encoding="utf-8",
    )

    with (
        filled.migrator() as migrator,
        pytest.raises(MigrationError, match="the table things goes, with all its rows: 2 rows"),
    ):
        migrator.apply()

    assert filled.rows("SELECT count(*) FROM things") == [(2,)]


def test_a_step_that_fails_half_way_leaves_nothing(filled: Project) -> None:
    file = filled.steps / "0002_by_hand.py"
    [first] = filled.steps.glob("*.py")
    file.write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = '0002_by_hand'\ndown_revision = {first.stem!r}\n"
        "def upgrade():\n"
        "    op.add_column('owners', sa.Column('x', sa.Integer()))\n"
        "    op.execute('INSERT INTO nowhere VALUES (1)')\n"
        "def downgrade():\n    pass\n",
        encoding="utf-8",
    )

    with filled.migrator() as migrator, pytest.raises(SchemaMismatchError, match="nowhere"):
        migrator.apply()

    assert [row[1] for row in filled.rows("PRAGMA table_info(owners)")] == ["id", "label"]
    with filled.migrator() as migrator:
        assert len(migrator.status().pending) == 1


def test_two_steps_after_one_are_refused_with_the_cure(filled: Project) -> None:
    [first] = filled.steps.glob("*.py")
    for name in ("0002_a", "0002_b"):
        (filled.steps / f"{name}.py").write_text(
            f"revision = {name!r}\ndown_revision = {first.stem!r}\n"
            "def upgrade(): pass\ndef downgrade(): pass\n",
            encoding="utf-8",
        )

    with filled.migrator() as migrator, pytest.raises(MigrationError, match="`down_revision`"):
        migrator.apply()


def test_a_database_with_steps_is_changed_by_steps_only(filled: Project) -> None:
    filled.say(BASE.replace("things", "others"))

    with (
        pytest.raises(SchemaMismatchError, match="the table others is missing"),
        Timber().opened(filled.settings(create_tables=True)),
    ):
        pass

    assert filled.rows("SELECT 1 FROM sqlite_master WHERE name = 'others'") == []


def test_a_type_that_is_taken_back_is_not_filled_with_the_newer_default(filled: Project) -> None:
    number = "{name: label, type: Integer, nullable: false, default: 5}"
    moment = "{name: label, type: DateTime, nullable: false, default: now}"
    filled.step(changed(number), allow_data_loss=True)
    filled.step(changed(moment), allow_data_loss=True)

    with filled.migrator() as migrator:
        migrator.roll_back(allow_data_loss=True)

    assert filled.rows("SELECT label FROM owners ORDER BY id") == [(0,), (0,)]
