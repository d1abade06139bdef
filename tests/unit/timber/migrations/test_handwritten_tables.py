"""Tables that were written by hand beside the models are compared as they are."""

from sqlalchemy import Column, Enum, Integer, Table
from tests.unit.timber.migrations.conftest import Project

from timber.common.migrations.difference import find_difference
from timber.common.runtime import Timber


def test_an_enum_without_a_check_is_no_difference(project: Project) -> None:
    timber = Timber()
    suit: Column[str] = Column("suit", Enum("a", "b", native_enum=False))
    Table("cards", timber.base.metadata, Column("id", Integer, primary_key=True), suit)

    with (
        timber.opened(project.settings(create_tables=True)),
        timber.database.engine.connect() as connection,
    ):
        found = find_difference(connection, timber.base.metadata, known=frozenset())

    assert found.is_empty
