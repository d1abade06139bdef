"""Whoever changes the log, with all guards out of his way, is found."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import Connection, text
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.audit.conftest import settings_of

from timber.common.audit import acting
from timber.common.audit.tables import LOG, guards
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

ENTRIES = 12
COLUMNS = sorted(one.name for one in LOG.columns)


@pytest.fixture(params=["file", "postgresql"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path, keystore: FakeKeystore) -> Any:
    """Give a Timber with a log whose guards are gone, and an anchor of its end."""
    url = f"sqlite:///{tmp_path}/notes.db"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql_url"))
    with Timber(keystore=keystore).opened(settings_of(url, tmp_path / "models")) as timber:
        note: Any = timber.models.get("Note")
        for number in range(ENTRIES):
            with acting(f"staff-{number % 3}"), timber.database.session_scope() as session:
                session.add(note(id=str(number), body="same"))
        anchor = tmp_path / "anchor.json"
        anchor.write_text(timber.audit.anchor())
        with timber.database.engine.begin() as connection:
            for name, one in guards(connection.dialect).items():
                on = "" if connection.dialect.name == "sqlite" else f" ON {one.table}"
                connection.execute(text(f"DROP TRIGGER {name}{on}"))
        yield timber, anchor


def places(connection: Connection) -> list[tuple[int, int]]:
    rows = connection.execute(
        text(f"SELECT lane, position FROM {LOG.name} ORDER BY lane, position")
    )
    return [(row.lane, row.position) for row in rows]


def tampered(  # noqa: C901, PLR0912 - one case a kind
    connection: Connection, kind: str, column: str, first: int, second: int
) -> bool:
    """Change the log in one way; return whether that changed it."""
    there = places(connection)
    one, other = there[first % len(there)], there[second % len(there)]
    which = {"l1": one[0], "p1": one[1], "l2": other[0], "p2": other[1]}
    at, at_other = "lane = :l1 AND position = :p1", "lane = :l2 AND position = :p2"
    match kind:
        case "cut out":
            connection.execute(text(f"DELETE FROM {LOG.name} WHERE {at}"), which)
        case "cut off":
            connection.execute(
                text(f"DELETE FROM {LOG.name} WHERE lane = :l1 AND position >= :p1"), which
            )
        case "copied":
            if one == other:
                return False
            taken = connection.execute(
                text(f"SELECT {column} AS taken FROM {LOG.name} WHERE {at_other}"), which
            ).scalar()
            kept = connection.execute(
                text(f"SELECT {column} FROM {LOG.name} WHERE {at}"), which
            ).scalar()
            if taken == kept:
                return False
            statement = f"UPDATE {LOG.name} SET {column} = :taken WHERE {at}"
            if column in {"lane", "position"}:
                return False
            connection.execute(text(statement), {**which, "taken": taken})
        case "swapped":
            if one == other or one[0] != other[0]:
                return False
            for set_to, place in ((-1, "p1"), (which["p1"], "p2"), (which["p2"], None)):
                where = "-1" if place is None else f":{place}"
                connection.execute(
                    text(
                        f"UPDATE {LOG.name} SET position = :to "
                        f"WHERE lane = :l1 AND position = {where}"
                    ),
                    {"to": set_to, **which},
                )
        case _:
            listed = ", ".join(name for name in COLUMNS if name != "position")
            connection.execute(
                text(
                    f"INSERT INTO {LOG.name} (position, {listed}) SELECT position + 100, {listed} "
                    f"FROM {LOG.name} WHERE {at}"
                ),
                which,
            )
    return True


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["cut out", "cut off", "copied", "swapped", "put in"]),
    column=st.sampled_from(COLUMNS),
    first=st.integers(0, ENTRIES - 1),
    second=st.integers(0, ENTRIES - 1),
)
def test_every_change_of_the_log_is_found(
    recorded: Any, kind: str, column: str, first: int, second: int
) -> None:
    timber, anchor = recorded
    engine = timber.database.engine
    assert all("guards the log" in one.what for one in timber.audit.verify(anchor=anchor).problems)
    with engine.connect() as connection:
        kept = [dict(row) for row in connection.execute(LOG.select()).mappings()]
    with engine.begin() as connection:
        changed = tampered(connection, kind, column, first, second)

    found = timber.audit.verify(anchor=anchor)

    with engine.begin() as connection:
        connection.execute(LOG.delete())
        connection.execute(LOG.insert(), kept)
    broken = [one for one in found.problems if "guards the log" not in one.what]
    assert bool(broken) is changed, (kind, column, broken)
    assert all(one.lane is not None for one in broken)


@pytest.mark.parametrize(("lane", "position"), [(-2, 1), (16, 1), (0, -1), (0, 0)])
def test_entries_outside_the_chains_are_found(recorded: Any, lane: int, position: int) -> None:
    timber, _ = recorded
    listed = ", ".join(name for name in COLUMNS if name not in {"lane", "position"})
    with timber.database.engine.begin() as connection:
        which, place = places(connection)[0]
        connection.execute(
            text(
                f"INSERT INTO {LOG.name} (lane, position, {listed}) "
                f"SELECT {lane}, {position}, {listed} FROM {LOG.name} "
                f"WHERE lane = {which} AND position = {place}"
            )
        )

    found = [one for one in timber.audit.verify().problems if one.lane is not None]

    assert (lane, position) in {(one.lane, one.position) for one in found}


@pytest.mark.parametrize(
    "forged",
    [
        "actor = 'mallory'",
        "actor = NULL",
        "actor_subject = NULL",
        "actor_subject = 'users:mallory'",
        "actor = NULL, actor_subject = NULL",
    ],
)
@pytest.mark.parametrize("subject", [None, "users:ann"])
def test_another_actor_is_found(recorded: Any, forged: str, subject: str | None) -> None:
    timber, _ = recorded
    if subject is None and forged == "actor_subject = NULL":
        return  # it is null
    with acting("ann", subject=subject), timber.database.session_scope() as session:
        session.add(timber.models.get("Note")(id="new"))
    assert [one for one in timber.audit.verify().problems if one.lane is not None] == []

    with timber.database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {LOG.name} SET {forged} WHERE actor = 'ann'"))

    [found] = [one for one in timber.audit.verify().problems if one.lane is not None]
    assert found.what.startswith("the actor was")


def test_an_actor_that_was_erased_is_no_forgery(recorded: Any, keystore: FakeKeystore) -> None:
    timber, _ = recorded
    with acting("ann", subject="users:ann"), timber.database.session_scope() as session:
        session.add(timber.models.get("Note")(id="new"))

    keystore.erase("users:ann")
    timber.audit.forget("users:ann")

    assert [one for one in timber.audit.verify().problems if one.lane is not None] == []
    with timber.database.engine.connect() as connection:
        assert "ann" not in repr(
            connection.execute(LOG.select().where(LOG.c.actor.is_(None))).all()
        )
