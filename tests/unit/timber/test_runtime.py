"""What opening and closing a Timber promises."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, Table, inspect
from tests.unit.timber.conftest import BUILT_IN, OpenTimber, WriteModels

from timber.common.database.schema import drop_tables
from timber.common.errors import (
    AlreadyOpenError,
    ConfigurationError,
    DatabaseUnavailableError,
    ModelFileError,
    ModelNotFoundError,
    NotOpenError,
)
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

NOTE = """
    models:
      - name: Note
        table_name: notes
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: text, type: Text}
"""


def test_a_row_of_a_model_from_a_file_is_kept(open_timber: OpenTimber) -> None:
    timber = open_timber(NOTE)
    note_model = timber.models.get("Note")

    with timber.database.session_scope() as session:
        session.add(note_model(text="remember"))

    with timber.database.session_scope() as session:
        assert [note.text for note in session.query(note_model)] == ["remember"]


def test_every_part_says_that_the_timber_is_not_open() -> None:
    timber = Timber()

    with pytest.raises(NotOpenError, match="initialize_timber"):
        timber.models.get("User")
    with pytest.raises(NotOpenError), timber.database.session_scope():
        pass
    with pytest.raises(NotOpenError):
        timber.database.check_connection()
    with pytest.raises(NotOpenError):
        _ = timber.database.engine


def test_an_unknown_model_names_the_known_ones(open_timber: OpenTimber) -> None:
    timber = open_timber(NOTE)

    with pytest.raises(
        ModelNotFoundError,
        match=r"no model 'Nope'; there are: CacheEpoch, .*Note, .*User",
    ):
        timber.models.get("Nope")


def test_two_timbers_in_memory_share_neither_rows_nor_models(open_timber: OpenTimber) -> None:
    one, other = open_timber(NOTE), open_timber()

    with one.database.session_scope() as session:
        session.add(one.models.get("User")(user_id="a", email="a@x", username="a"))

    with other.database.session_scope() as session:
        assert session.query(other.models.get("User")).count() == 0
    assert one.models.get("User") is not other.models.get("User")
    assert one.base.metadata is not other.base.metadata


def test_a_broken_file_opens_nothing(write_models: WriteModels, tmp_path: Path) -> None:
    write_models(NOTE, name="good.yaml")
    folder = write_models("models: [{name: X}]", name="bad.yaml")
    timber = Timber()
    database = tmp_path / "a.db"

    with pytest.raises(ModelFileError):
        timber.open(
            TimberSettings(database_url=f"sqlite:///{database}", model_config_dirs=(folder,))
        )

    assert not timber.is_open
    assert not database.exists()
    assert not timber.base.metadata.tables


def test_tables_that_cannot_be_created_leave_nothing_behind(tmp_path: Path) -> None:
    timber = Timber()

    with pytest.raises(ConfigurationError):
        timber.open(TimberSettings(database_url="oracle://x"))

    assert not timber.is_open
    assert not timber.base.metadata.tables
    with pytest.raises(NotOpenError):
        timber.models.get("User")


def test_a_closed_timber_can_be_opened_again(open_timber: OpenTimber) -> None:
    timber = open_timber(NOTE)
    base = timber.base
    timber.close()
    timber.close()

    open_timber(NOTE, timber=timber)

    assert issubclass(timber.models.get("Note"), base)
    assert {"notes", "users"} <= set(base.metadata.tables)
    assert len(base.metadata.tables) == len(BUILT_IN) + 1


def test_opening_again_with_equal_settings_does_nothing(open_timber: OpenTimber) -> None:
    timber = open_timber()
    user_model = timber.models.get("User")

    timber.open(TimberSettings(packaged_models=False))

    assert timber.models.get("User") is user_model


def test_opening_again_with_other_settings_is_refused(open_timber: OpenTimber) -> None:
    timber = open_timber()

    with pytest.raises(AlreadyOpenError, match="shutdown_timber"):
        timber.open(TimberSettings(create_tables=False))


def test_tables_are_created_only_when_asked_for(open_timber: OpenTimber) -> None:
    with_tables, without = open_timber(), open_timber(create_tables=False)

    assert inspect(with_tables.database.engine).has_table("users")
    assert not inspect(without.database.engine).has_table("users")


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'nowhere' is no folder"):
        Timber().open(TimberSettings(model_config_dirs=(Path("nowhere"),)))


def test_a_table_declared_in_python_lives_beside_the_models(open_timber: OpenTimber) -> None:
    timber = Timber()
    Table("extra", timber.base.metadata, Column("id", Integer, primary_key=True))

    open_timber(NOTE, timber=timber)
    assert inspect(timber.database.engine).has_table("extra")
    timber.close()

    assert set(timber.base.metadata.tables) == {"extra"}


def test_a_table_declared_in_python_keeps_its_name(open_timber: OpenTimber) -> None:
    timber = Timber()
    Table("notes", timber.base.metadata, Column("id", Integer, primary_key=True))

    with pytest.raises(ModelFileError, match=r":4:17: a table 'notes' is declared in Python"):
        open_timber(NOTE, timber=timber)

    assert set(timber.base.metadata.tables) == {"notes"}


def test_defaults_are_what_the_file_says(open_timber: OpenTimber) -> None:
    timber = open_timber(
        """
        models:
          - name: Order
            table_name: orders
            columns:
              - {name: id, type: Integer, primary_key: true}
              - {name: made_at, type: DateTime, default: now}
              - {name: price, type: "Numeric(10, 2)", default: 1.1}
              - {name: note, type: Text, default: uuid4}
              - {name: options, type: JSON, default: [{a: 1.5}, null]}
              - {name: count, type: BigInteger, default: 5000000000}
        """,
        timber=Timber(clock=StoppedClock(), new_id=lambda: "id-1"),
    )
    order = timber.models.get("Order")()

    with timber.database.session_scope() as session:
        session.add(order)

    assert (order.id, order.made_at, order.price) == (1, MOMENT, Decimal("1.1"))
    assert (order.note, order.options, order.count) == ("id-1", [{"a": 1.5}, None], 5_000_000_000)


MOMENT = datetime(2030, 1, 1, tzinfo=UTC)


class StoppedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return MOMENT


def test_dropping_takes_all_tables_away(open_timber: OpenTimber) -> None:
    timber = open_timber(NOTE)

    drop_tables(timber.database.engine, timber.base.metadata)

    assert inspect(timber.database.engine).get_table_names() == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file", encoding="utf-8")
    settings = TimberSettings(database_url=f"sqlite:///{tmp_path}/var/sub/rows.db")

    with pytest.raises(DatabaseUnavailableError, match="sub' cannot be made: Not a directory"):
        Timber().open(settings)
