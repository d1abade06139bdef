"""New data keys and new roots of indexes, while everybody works on."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from timber.common.errors import (
    DuplicateError,
    InvalidRequestError,
    SubjectErasedError,
    TamperedError,
    UnknownKeyError,
)
from timber.common.failpoints import armed
from timber.common.keys.reindexing import IndexFailpoint
from timber.common.keys.resealing import DataFailpoint
from timber.common.keys.retiring import RetireFailpoint
from timber.common.keys.rounds import RoundFailpoint
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS = """
models:
  - name: User
    table_name: users
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: email, type: String(100), unique: true}
    encryption:
      enabled: true
      fields: [{name: email, searchable: true, normalise: casefold}]
  - name: Visit
    table_name: visits
    mixins: [TimestampMixin]
    columns:
      - {name: clinic, type: String(20), primary_key: true}
      - {name: number, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.id, nullable: false}
      - {name: note, type: Text}
      - {name: fee, type: "Numeric(10, 2)"}
    encryption:
      enabled: true
      fields: [note, fee]
"""
PEOPLE = 20
"""More than two pages."""


def settings_for(database_url: str, folder: Path) -> TimberSettings:
    models = folder / "models"
    if not models.exists():
        models.mkdir()
        (models / "models.yaml").write_text(MODELS, encoding="utf-8")
    return TimberSettings(
        database_url=database_url,
        model_config_dirs=(models,),
        packaged_models=False,
        keystore=None if ":memory:" in database_url else str(folder / "keys"),
        key_bound_seconds=0.01,
    )


@pytest.fixture(params=["file", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> TimberSettings:
    if request.param == "file":
        return settings_for(f"sqlite:///{tmp_path}/app.db", tmp_path)
    return settings_for(str(request.getfixturevalue("postgresql_url")), tmp_path)


@pytest.fixture
def timber(settings: TimberSettings) -> Iterator[Timber]:
    with Timber().opened(settings) as opened:
        fill(opened)
        opened.key_renewal._rows_at_once = 8
        yield opened


@pytest.fixture
def other(settings: TimberSettings, timber: Timber) -> Iterator[Timber]:
    """Open the same database and keys again, as another process does."""
    with Timber().opened(settings) as opened:
        yield opened


def fill(timber: Timber) -> None:
    user, visit = timber.models.get("User"), timber.models.get("Visit")
    people = [{"id": str(one), "email": f"P{one}@Example.org"} for one in range(PEOPLE)]
    visits = [
        {"clinic": "north", "number": one, "user_id": str(one), "note": f"note {one}", "fee": one}
        for one in range(PEOPLE)
    ]
    with timber.database.session_scope() as session:
        session.execute(insert(user), people)
        session.execute(insert(visit), visits)


def content(timber: Timber) -> list[tuple[Any, ...]]:
    user, visit = timber.models.get("User"), timber.models.get("Visit")
    with timber.database.session_scope() as session:
        people = session.scalars(select(user).order_by(user.id))
        visits = session.scalars(select(visit).order_by(visit.clinic, visit.number))
        return [(one.id, one.email) for one in people] + [
            (one.number, one.note, one.fee, one.updated_at) for one in visits
        ]


def versions(timber: Timber, column: str = "note", table: str = "visits") -> set[int]:
    with timber.database.engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {column} FROM {table}")).scalars()
        return {int.from_bytes(bytes(one)[18:20], "big") for one in rows if one is not None}


def index_versions(timber: Timber) -> set[int]:
    with timber.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT email_index FROM users")).scalars()
        return {bytes(one)[0] for one in rows}


def find(timber: Timber, email: str) -> list[int]:
    user = timber.models.get("User")
    with timber.database.session_scope() as session:
        return [int(one.id) for one in session.scalars(select(user).where(user.email == email))]


def add_person(timber: Timber, key: int, email: str) -> None:
    with timber.database.session_scope() as session:
        session.add(timber.models.get("User")(id=str(key), email=email))


class Ended(BaseException):
    """Ends what is under way as a kill does."""


@contextlib.contextmanager
def ended_at(point: str, passage: int = 1) -> Iterator[None]:
    left = passage

    def end(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if not left:
                raise Ended

    with contextlib.suppress(Ended), armed(end):
        yield


# ---------------------------------------------------------------------- data keys


def test_all_rows_are_sealed_anew_and_nothing_else_changes(timber: Timber, other: Timber) -> None:
    before = content(other)
    shown: list[tuple[str, int, int]] = []

    done = timber.key_renewal.renew_data(show=lambda *told: shown.append(told))

    assert (done.keys, done.rows, done.unreadable.count) == (PEOPLE, 2 * PEOPLE, 0)
    assert versions(timber) == versions(timber, "email", "users") == {2}
    assert content(timber) == content(other) == before
    assert ("users", PEOPLE, PEOPLE) in shown
    assert ("visits", PEOPLE, PEOPLE) in shown
    assert find(other, "p7@example.org") == [7]


def test_the_rows_of_one_table_can_be_sealed_anew_alone(timber: Timber) -> None:
    done = timber.key_renewal.renew_data(["visits"])

    assert done.rows == PEOPLE
    assert versions(timber) == {2}
    assert versions(timber, "email", "users") == {1}
    with pytest.raises(InvalidRequestError, match="leave it out"):
        timber.key_renewal.renew_data(["other"])


def test_what_others_write_meanwhile_is_kept_and_sealed_with_the_new_key(
    timber: Timber, other: Timber
) -> None:
    visit = other.models.get("Visit")
    written = iter(range(PEOPLE, PEOPLE + 100))

    def meanwhile(point: str) -> None:
        if point == RoundFailpoint.PAGE_NOTED:
            with other.database.session_scope() as session:
                # Both before and behind where the renewal is.
                session.add(
                    visit(clinic="a", number=next(written), user_id="1", note="new", fee=1)
                )
                for place in (3, PEOPLE - 1):
                    row: Any = session.get(visit, ("north", place))
                    row.note = "changed"

    with armed(meanwhile):
        timber.key_renewal.renew_data()

    assert versions(timber) == {2}
    notes = {row[0]: row[1] for row in content(other)[PEOPLE:]}
    assert notes[3] == notes[PEOPLE - 1] == "changed"
    assert notes[PEOPLE] == "new"
    assert notes[4] == "note 4"


DATA_POINTS = [*DataFailpoint, *RoundFailpoint]


@pytest.mark.parametrize("settings", ["file"], indirect=True)
@pytest.mark.parametrize("point", DATA_POINTS)
def test_a_renewal_that_was_broken_off_anywhere_goes_on(timber: Timber, point: str) -> None:
    before = content(timber)
    with ended_at(point):
        timber.key_renewal.renew_data()
    between = content(timber)
    unfinished = timber.key_renewal.status().unfinished

    done = timber.key_renewal.renew_data()

    assert unfinished == (() if point == DataFailpoint.EPOCH_BEGUN else ("data",))
    assert done.finished_another == bool(unfinished)
    assert versions(timber) == versions(timber, "email", "users") == {2}
    assert timber.key_renewal.status().unfinished == ()
    assert content(timber) == between == before


def test_a_throttled_renewal_rests_after_each_page(timber: Timber) -> None:
    rests: list[float] = []
    timber.key_renewal._sleep = rests.append

    timber.key_renewal.renew_data(["visits"], rows_per_second=100)

    assert sum(rests) == pytest.approx(2 * PEOPLE / 100)  # once to renew, once to look


def test_what_cannot_be_opened_is_named_and_stays_as_it_is(timber: Timber) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE visits SET note = (SELECT note FROM visits WHERE number = 1)"
                " WHERE number = 2"
            )
        )
    timber.keys.store.erase("users:5")

    done = timber.key_renewal.renew_data()

    assert done.unreadable.count > 0
    assert "visits.note" in done.unreadable.named[0]
    assert "2" in done.unreadable.named[0]
    assert done.unreadable.erased > 0
    assert "note 1" not in "".join(done.unreadable.named)
    row: Any = timber.database.get(timber.models.get("Visit"), ("north", 2))
    with pytest.raises(TamperedError):
        _ = row.note


# ---------------------------------------------------------------------- retiring


def test_versions_that_rows_use_are_kept(timber: Timber) -> None:
    timber.key_renewal.renew_data(["visits"])

    done = timber.key_renewal.retire()

    assert (done.destroyed, done.kept) == (0, PEOPLE)
    assert done.values_by_table == {"users": PEOPLE}
    assert len(content(timber)) == 2 * PEOPLE


def test_versions_that_nothing_uses_are_destroyed_and_old_backups_with_them(
    timber: Timber, other: Timber
) -> None:
    with timber.database.engine.connect() as connection:
        query = text("SELECT note FROM visits WHERE number = 1")
        backup = bytes(connection.execute(query).scalar_one())
    before = content(other)
    timber.key_renewal.renew_data()
    assert timber.keys.store.data_key(backup[2:18], 1).version == 1

    done = timber.key_renewal.retire()

    assert (done.destroyed, done.kept) == (PEOPLE, 0)
    assert content(timber) == content(other) == before
    with pytest.raises(UnknownKeyError, match="was retired"):
        timber.keys.store.data_key(backup[2:18], 1)
    assert timber.key_renewal.retire().destroyed == 0


def test_keys_of_tables_without_a_model_are_kept(timber: Timber) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT note FROM visits WHERE number < 3"))
    timber.key_renewal.renew_data()

    done = timber.key_renewal.retire()

    assert (done.destroyed, done.kept) == (PEOPLE - 3, 3)
    assert done.values_by_table == {"kept": 3}


@pytest.mark.parametrize("settings", ["file"], indirect=True)
@pytest.mark.parametrize("point", RetireFailpoint)
def test_retiring_can_be_broken_off_anywhere(timber: Timber, point: RetireFailpoint) -> None:
    before = content(timber)
    timber.key_renewal.renew_data()
    with ended_at(point):
        timber.key_renewal.retire()

    timber.key_renewal.retire()

    assert timber.key_renewal.status().old_data_keys == 0
    assert content(timber) == before


# ---------------------------------------------------------------------- indexes


def test_every_index_is_made_anew_and_still_finds(timber: Timber, other: Timber) -> None:
    before = content(timber)
    assert find(other, "P7@example.org") == [7]

    done = timber.key_renewal.renew_indexes()

    assert (done.version, done.rows, done.unreadable.count) == (2, PEOPLE, 0)
    assert index_versions(timber) == {2}
    assert timber.key_renewal.status().index_versions == (2,)
    for one in (timber, other):
        one.keys.keyring.refresh()
        assert find(one, "p7@EXAMPLE.org") == [7]
    with pytest.raises(DuplicateError):
        add_person(timber, 1000, "p7@example.org")
    assert content(other) == before


INDEX_POINTS = [*IndexFailpoint, *RoundFailpoint]


@pytest.mark.parametrize("point", INDEX_POINTS)
def test_a_renewal_of_indexes_that_was_broken_off_anywhere_goes_on(
    timber: Timber, other: Timber, point: str
) -> None:
    with ended_at(point):
        timber.key_renewal.renew_indexes()
    unfinished = timber.key_renewal.status().unfinished
    for one in (timber, other):
        one.keys.keyring.refresh()
        # Both what is renewed already and what is not is found, and stays unique.
        for person in (0, PEOPLE - 1):
            assert find(one, f"p{person}@example.org") == [person]
            with pytest.raises(DuplicateError):
                add_person(one, 1000, f"p{person}@example.org")
        add_person(one, 500 + (one is other), f"new{one is other}@example.org")

    done = timber.key_renewal.renew_indexes()

    assert unfinished == ("indexes",)
    assert (done.version, done.finished_another) == (2, True)
    assert index_versions(timber) == {2}
    assert timber.key_renewal.status().unfinished == ()
    other.keys.keyring.refresh()
    for email, key in (("p0@example.org", 0), ("newFalse@example.org", 500)):
        assert find(timber, email) == find(other, email) == [key]
    for one in (timber, other):
        with pytest.raises(DuplicateError):
            add_person(one, 1000, "newtrue@example.org")


def test_values_change_and_come_back_while_the_index_is_renewed(
    timber: Timber, other: Timber
) -> None:
    user = other.models.get("User")
    moved: list[int] = []

    def meanwhile(point: str) -> None:
        if point == RoundFailpoint.PAGE_CHANGED and not moved:
            moved.append(1)
            other.keys.keyring.refresh()
            with other.database.session_scope() as session:
                row: Any = session.get(user, "1")
                row.email = "moved@example.org"
            add_person(other, 2000, "p1@example.org")  # which is free now
            with pytest.raises(DuplicateError):
                add_person(other, 2001, "moved@example.org")

    with armed(meanwhile):
        timber.key_renewal.renew_indexes()

    assert find(timber, "moved@example.org") == [1]
    assert find(timber, "p1@example.org") == [2000]
    assert index_versions(timber) == {2}


def test_a_row_that_somebody_holds_on_postgresql_is_waited_for(
    postgresql_url: str, tmp_path: Path
) -> None:
    with Timber().opened(settings_for(postgresql_url, tmp_path)) as timber:
        fill(timber)
        rows: list[Any] = []
        waits: list[float] = []
        with timber.database.session() as session:

            def hold(point: str) -> None:
                if point == RoundFailpoint.PAGE_CHANGED and not rows:
                    # The last one, which a later page comes to.
                    rows.append(session.get(timber.models.get("User"), "9", with_for_update=True))

            def wait(seconds: float) -> None:
                if rows and not waits:
                    waits.append(seconds)
                    rows[0].email = "held@example.org"
                    session.commit()

            timber.key_renewal._sleep = wait
            timber.key_renewal._rows_at_once = 8
            with armed(hold):
                done = timber.key_renewal.renew_indexes()

        assert waits == [0.05]
        assert done.rows == PEOPLE - 1  # the other was written with the new root meanwhile
        assert find(timber, "held@example.org") == [9]
        assert index_versions(timber) == {2}


def test_no_value_gets_in_twice_while_many_write_and_the_index_is_renewed(
    timber: Timber, other: Timber
) -> None:
    emails = [f"new{number}@example.org" for number in range(12)]
    began = threading.Event()

    def write(one: Timber, number: int) -> int:
        began.wait(30)
        stored = 0
        for place, email in enumerate(emails):
            try:
                add_person(one, 1000 + 100 * number + place, email)
            except DuplicateError:
                continue
            stored += 1
        return stored

    def meanwhile(point: str) -> None:
        if point == IndexFailpoint.MADE:
            began.set()

    with ThreadPoolExecutor(max_workers=3) as pool, armed(meanwhile):
        writers = [pool.submit(write, one, n) for n, one in enumerate((timber, other, other))]
        timber.key_renewal.renew_indexes()
        stored = [writer.result() for writer in writers]

    assert sum(stored) == len(emails)
    for email in emails:
        assert len(find(timber, email)) == 1


# ---------------------------------------------------------------------- status


def test_status_draws_attention_to_what_is_overdue(timber: Timber) -> None:
    assert timber.key_renewal.status().attention == ()

    timber.keys.store.erase("users:1")
    timber.key_renewal.renew_data(["visits"])
    found = timber.key_renewal.status()

    assert found.erased_subjects == found.erased_since_master == 1
    assert found.subjects == PEOPLE - 1
    assert found.old_data_keys == PEOPLE - 1
    assert ["`timber keys rotate`" in one for one in found.attention] == [True, False]
    assert "`timber keys retire`" in found.attention[1]


def test_an_erasure_is_seen_by_another_within_the_bound(timber: Timber, other: Timber) -> None:
    visit = other.models.get("Visit")
    row: Any = other.database.get(visit, ("north", 1))
    assert row.note == "note 1"

    timber.keys.store.erase("users:1")
    other.keys.keyring.refresh()

    again: Any = other.database.get(visit, ("north", 1))
    with pytest.raises(SubjectErasedError):
        _ = again.note
