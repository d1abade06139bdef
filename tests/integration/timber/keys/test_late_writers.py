"""Writers that stand still between sealing and committing, while keys are renewed and destroyed.

However long one stands still, what he writes can be read and found afterwards.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text, update
from tests.integration.timber.keys.test_renewals import (
    PEOPLE,
    add_person,
    content,
    fill,
    find,
    index_versions,
    settings_for,
    versions,
)

from timber.common.encryption.leases import EPOCH
from timber.common.errors import (
    DuplicateError,
    KeystoreError,
    PlaintextRefusedError,
    UnknownKeyError,
)
from timber.common.failpoints import armed
from timber.common.keys.reindexing import IndexFailpoint
from timber.common.keys.rounds import RoundFailpoint
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

SECONDS = 30


@pytest.fixture(params=["file", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> TimberSettings:
    if request.param == "file":
        return settings_for(f"sqlite:///{tmp_path}/app.db", tmp_path)
    return settings_for(str(request.getfixturevalue("postgresql_url")), tmp_path)


@pytest.fixture
def timber(settings: TimberSettings) -> Iterator[Timber]:
    with Timber().opened(settings) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def late(settings: TimberSettings, timber: Timber) -> Iterator[Timber]:
    """Open the same as a process whose clock stands still: it asks the keystore for nothing."""
    with Timber().opened(settings) as opened:
        opened.keys.keyring._ticks = lambda: 0.0
        opened.keys.keyring.current_for([f"users:{one}" for one in range(PEOPLE)])
        find(opened, "p1@example.org")
        yield opened


class Renewal:
    """A renewal in a thread of its own, of which is known when it waits for somebody."""

    def __init__(self, timber: Timber, work: Callable[[], Any]) -> None:
        self.waits = threading.Event()
        """It waits, or it is done."""
        self._timber = timber
        self._work = work
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._done: Future[Any] | None = None

    def begin(self) -> None:
        self._timber.key_renewal._sleep = self._sleep
        self._done = self._pool.submit(self._work)
        self._done.add_done_callback(lambda _: self.waits.set())

    def _sleep(self, seconds: float) -> None:
        if seconds > self._timber.keys.bound_seconds:  # else it lets others know of a change
            self.waits.set()
        time.sleep(seconds)

    def result(self) -> Any:
        """Return what the work returned, when it is done."""
        assert self._done is not None
        return self._done.result(SECONDS)


def before_it_is_executed(timber: Timber, statement: str, work: Callable[[], None]) -> None:
    """Do something between the sealing of a statement and its execution, once."""
    began: list[str] = []

    def before(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith(statement) and not began:
            began.append(sql)
            work()

    event.listen(timber.database.engine, "before_cursor_execute", before)


# ---------------------------------------------------------------------- data keys


def test_keys_with_which_a_transaction_writes_outlive_it_on_postgresql(
    postgresql_url: str, tmp_path: Path
) -> None:
    with Timber().opened(settings_for(postgresql_url, tmp_path)) as timber:
        fill(timber)

        def work() -> tuple[int, int]:
            timber.key_renewal.renew_data()
            done = timber.key_renewal.retire()
            return done.destroyed, done.kept

        renewal = Renewal(timber, work)

        def stand_still() -> None:
            renewal.begin()
            assert renewal.waits.wait(SECONDS)

        before_it_is_executed(timber, "INSERT INTO visits", stand_still)
        with timber.database.session_scope() as session:
            visit = timber.models.get("Visit")
            row = {"clinic": "a", "number": 1, "user_id": "3", "note": "late", "fee": 1}
            session.execute(insert(visit), [row])

        assert renewal.result() == (PEOPLE - 1, 1)
        assert versions(timber) == {1, 2}
        assert "late" in {row[1] for row in content(timber)}
        timber.key_renewal.renew_data()
        assert timber.key_renewal.retire().kept == 0
        assert "late" in {row[1] for row in content(timber)}


def test_who_stood_still_until_keys_were_destroyed_seals_with_new_ones(
    timber: Timber, late: Timber
) -> None:
    timber.key_renewal.renew_data()
    assert timber.key_renewal.retire().destroyed == PEOPLE

    with late.database.session_scope() as session:
        visit = late.models.get("Visit")
        session.add(visit(clinic="a", number=1, user_id="3", note="late", fee=1))

    assert versions(timber) == {2}
    assert "late" in {row[1] for row in content(timber)}


def test_who_writes_back_what_he_read_before_writes_it_with_the_new_key(
    timber: Timber, late: Timber
) -> None:
    visit = late.models.get("Visit").__table__
    with late.database.engine.connect() as connection:
        query = visit.select().where(visit.c.number == 3)
        read = connection.execute(query).mappings().one()["note"]
    timber.key_renewal.renew_data()

    with late.database.engine.begin() as connection:
        back = update(visit).where(visit.c.clinic == "north", visit.c.number == 3)
        connection.execute(back.values(note=read))

    assert versions(timber) == {2}
    assert timber.key_renewal.retire().kept == 0
    assert "note 3" in {row[1] for row in content(timber)}


def test_a_savepoint_that_is_undone_leaves_its_transaction_a_lease(timber: Timber) -> None:
    visit = timber.models.get("Visit").__table__
    first = {"clinic": "a", "number": 1, "user_id": "1", "note": "undone", "fee": 1}
    second = {**first, "number": 2, "note": "late"}
    with timber.database.engine.connect() as connection:
        with connection.begin():
            savepoint = connection.begin_nested()
            connection.execute(insert(visit), first)
            assert leases(connection) == 1
            savepoint.rollback()
            assert leases(connection) == (connection.dialect.name == "sqlite")

            connection.execute(insert(visit), second)

            assert leases(connection) == 1
        assert leases(connection) == 0


def leases(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        return int(connection.connection.driver_connection.in_transaction)  # type: ignore[union-attr]
    mine = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
        f" AND pid = pg_backend_pid() AND objid = (SELECT last_value FROM {EPOCH})"
    )
    return int(connection.execute(mine).scalar_one())


def test_what_is_sealed_is_not_written_without_a_transaction(timber: Timber) -> None:
    visit = timber.models.get("Visit").__table__
    row = {"clinic": "a", "number": 1, "user_id": "1", "note": "canary-4711", "fee": 1}

    with timber.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(PlaintextRefusedError, match="AUTOCOMMIT") as caught:
            connection.execute(insert(visit), row)

    assert "canary" not in str(caught.value)
    assert len(content(timber)) == 2 * PEOPLE


def test_a_database_without_an_epoch_is_told_how_to_get_one(settings: TimberSettings) -> None:
    with Timber().opened(settings) as timber:
        fill(timber)
        kind = "TABLE" if timber.database.engine.dialect.name == "sqlite" else "SEQUENCE"
        with timber.database.engine.begin() as connection:
            connection.execute(text(f"DROP {kind} {EPOCH}"))

    with pytest.raises(KeystoreError, match="timber keys init"):
        Timber().open(settings.model_copy(update={"create_tables": False}))
    with Timber().opened(settings) as timber:
        assert len(content(timber)) == 2 * PEOPLE
        add_person(timber, 500, "new@example.org")


def test_who_reads_what_was_there_before_can_read_it_to_the_end_and_keys_wait_for_that(
    timber: Timber,
) -> None:
    """What he sees is sealed with keys that no row has any more."""

    def work() -> int:
        timber.key_renewal.renew_data()
        return int(timber.key_renewal.retire().destroyed)

    visit = timber.models.get("Visit")
    renewal = Renewal(timber, work)
    with timber.database.stream(select(visit).order_by(visit.number), batch=2) as rows:
        notes = [next(rows).note]
        renewal.begin()
        assert renewal.waits.wait(SECONDS)
        timber.keys.keyring.refresh()
        notes += [one.note for one in rows]

    assert notes == [f"note {number}" for number in range(PEOPLE)]
    assert renewal.result() == PEOPLE
    assert versions(timber) == {2}


def test_a_row_that_was_loaded_before_its_key_was_destroyed_says_so_and_is_read_anew(
    timber: Timber,
) -> None:
    """An object that is in nobody's transaction any more cannot be waited for."""
    row: Any = timber.database.get(timber.models.get("Visit"), ("north", 3))
    timber.key_renewal.renew_data()
    timber.key_renewal.retire()
    timber.keys.keyring.refresh()

    with pytest.raises(UnknownKeyError, match="was retired"):
        _ = row.note
    again: Any = timber.database.get(timber.models.get("Visit"), ("north", 3))
    assert again.note == "note 3"


# ---------------------------------------------------------------------- indexes


def test_who_stood_still_while_an_index_was_renewed_writes_one_that_is_found(
    timber: Timber, late: Timber
) -> None:
    timber.key_renewal.renew_indexes()

    add_person(late, 500, "late@example.org")
    with pytest.raises(DuplicateError):
        add_person(late, 501, "p3@example.org")

    assert index_versions(timber) == {2}
    assert find(timber, "late@example.org") == find(late, "late@example.org") == [500]


@pytest.mark.parametrize(
    "point", [IndexFailpoint.NOTED, IndexFailpoint.MADE, IndexFailpoint.TAKEN]
)
def test_a_root_with_which_a_transaction_writes_outlives_it_on_postgresql(
    postgresql_url: str, tmp_path: Path, point: str
) -> None:
    settings = settings_for(postgresql_url, tmp_path)
    with Timber().opened(settings) as timber, Timber().opened(settings) as late:
        fill(timber)
        late.keys.keyring._ticks = lambda: 0.0
        find(late, "p1@example.org")
        renewal = Renewal(timber, timber.key_renewal.renew_indexes)
        is_there, is_sealed = threading.Event(), threading.Event()

        def passed(reached: str) -> None:
            if reached == point:
                is_there.set()
                assert is_sealed.wait(SECONDS)

        def stand_still() -> None:
            is_sealed.set()
            assert renewal.waits.wait(SECONDS)

        before_it_is_executed(late, "INSERT INTO users", stand_still)
        with armed(passed):
            renewal.begin()
            assert is_there.wait(SECONDS)
            add_person(late, 500, "late@example.org")
            renewal.result()

        assert index_versions(timber) == {2}
        assert find(timber, "late@example.org") == [500]


def test_an_old_hash_that_comes_behind_the_last_round_is_found_by_the_last_look(
    timber: Timber,
) -> None:
    user = timber.models.get("User").__table__
    with timber.database.engine.connect() as connection:
        old = connection.execute(text("SELECT email_index FROM users WHERE id = '3'")).scalar_one()

    def bring_back(point: str) -> None:
        if point == RoundFailpoint.TABLE_DONE and index_versions(timber) == {2}:
            with timber.database.engine.begin() as connection:
                connection.execute(
                    text(f"UPDATE {user.name} SET email_index = :old WHERE id = '3'"),
                    {"old": old},
                )

    brought: list[str] = []

    def once(point: str) -> None:
        if point == RoundFailpoint.TABLE_DONE and not brought:
            brought.append(point)
            bring_back(point)

    with armed(once):
        done = timber.key_renewal.renew_indexes()

    assert brought
    assert done.rows == PEOPLE + 1
    assert index_versions(timber) == {2}
    assert find(timber, "p3@example.org") == [3]


# ---------------------------------------------------------------------- many at once

WRITER = """
import random, sys, time
from pathlib import Path
from timber.common.runtime import Timber
from tests.integration.timber.keys.test_renewals import settings_for

folder, url, name, end = sys.argv[1:]
chance = random.Random(name)
written = 0
with Timber().opened(settings_for(url, Path(folder))) as timber:
    user, visit = timber.models.get("User"), timber.models.get("Visit")
    print("ready", flush=True)
    while not Path(end).exists():
        key, note = f"{name}-{written}", f"{name} {written}"
        with timber.database.session_scope() as session:
            session.add(user(id=key, email=f"{key}@example.org"))
            session.add(visit(clinic=name, number=written, user_id="1", note=note))
            session.flush()
            time.sleep(chance.choice([0, 0, 0.02]))
        written += 1
        time.sleep(chance.choice([0.01, 0.03]))
print(written)
"""


def test_processes_write_while_keys_are_renewed_and_destroyed(
    settings: TimberSettings, timber: Timber, tmp_path: Path
) -> None:
    end, names = tmp_path / "end", ["w1", "w2"]
    command = [sys.executable, "-c", WRITER, str(tmp_path), settings.database_url]
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen([*command, name, str(end)], stdout=subprocess.PIPE, text=True)
            )
            for name in names
        ]
        stack.callback(end.touch)
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"

        timber.key_renewal.renew_data()
        destroyed = timber.key_renewal.retire().destroyed
        timber.key_renewal.renew_indexes()

        end.touch()
        written = [int(writer.communicate(timeout=SECONDS)[0]) for writer in writers]

    assert destroyed >= PEOPLE - 1
    assert min(written) > 0
    user, visit = timber.models.get("User"), timber.models.get("Visit")
    with timber.database.session_scope() as session:
        for name, count in zip(names, written, strict=True):
            notes = session.scalars(select(visit).where(visit.clinic == name))
            assert {one.note for one in notes} == {f"{name} {one}" for one in range(count)}
            for key in (f"{name}-{number}" for number in range(count)):
                found = session.scalars(select(user).where(user.email == f"{key}@example.org"))
                assert [one.id for one in found] == [key]
