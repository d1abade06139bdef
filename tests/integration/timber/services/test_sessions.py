"""What sessions promise, on every database, to threads and to the event loop."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.integration.timber.services.conftest import Ask

from timber.common.errors import (
    GuardError,
    InvalidRequestError,
    InvalidStateTransitionError,
    RecordNotFoundError,
    SessionTypeError,
    UnknownColumnError,
    UserNotFoundError,
)
from timber.common.modeling.conditions import parse_guard
from timber.common.persistence.manager import PersistenceManager
from timber.common.persistence.sessions import SessionService
from timber.common.runtime import Timber
from timber.testing.clock import FrozenClock

pytestmark = pytest.mark.integration


@pytest.fixture
def sessions(manager: PersistenceManager) -> SessionService:
    return manager.sessions


def test_a_session_begins_in_its_initial_state_and_is_read_whole(
    ask: Ask, sessions: SessionService
) -> None:
    key = ask(sessions.create_session, "research", "ada", config={"a": 1}, ticker="AAPL")

    found = ask(sessions.get_session, key, "research")
    assert (found.id, found.user_id, found.state, found.ticker) == (
        key,
        "ada",
        "initialized",
        "AAPL",
    )
    assert (found.config, found.data) == ({"a": 1}, None)
    # Loaded with it, though the transaction is over.
    assert found.tags == []
    assert found.owner.username == "ada"


def test_keys_are_those_of_the_model(ask: Ask, sessions: SessionService) -> None:
    key = ask(sessions.create_session, "chat", "ada")

    assert isinstance(key, int)
    assert ask(sessions.get_session, key, "chat").phase == "open"


def test_what_cannot_begin_says_why(ask: Ask, sessions: SessionService) -> None:
    create = sessions.create_session
    with pytest.raises(UserNotFoundError, match="User not found: 'nobody'"):
        ask(create, "research", "nobody")
    with pytest.raises(SessionTypeError, match="no session type 'chatt'; there are: chat, note"):
        ask(create, "chatt", "ada")
    with pytest.raises(SessionTypeError, match="Note cannot keep sessions: it needs `states`"):
        ask(create, "note", "ada")
    with pytest.raises(InvalidStateTransitionError, match="begins as 'initialized'"):
        ask(create, "research", "ada", initial_state="completed")
    with pytest.raises(UnknownColumnError, match=r"ResearchSession has no column 'tickr'.*ticker"):
        ask(create, "research", "ada", tickr="AAPL")
    with pytest.raises(UnknownColumnError, match="Chat has no column 'config'"):
        ask(create, "chat", "ada", config={})
    assert all(
        issubclass(one, ValueError)
        for one in (UserNotFoundError, SessionTypeError, InvalidStateTransitionError)
    )
    assert len(ask(sessions.list_sessions, "research")) == 0


def test_a_deleted_user_begins_nothing(ask: Ask, sessions: SessionService, timber: Timber) -> None:
    with timber.database.session_scope() as session:
        session.delete(session.get_one(timber.models.get("User"), "bob"))

    with pytest.raises(UserNotFoundError):
        ask(sessions.create_session, "research", "bob")


def test_states_follow_the_machine_and_leave_a_history(ask: Ask, sessions: SessionService) -> None:
    key = ask(sessions.create_session, "research", "ada")

    assert ask(sessions.transition_state, key, "research", "processing", reason="go") is True
    assert ask(sessions.transition_state, key, "research", "failed") is True

    steps = ask(sessions.get_history, key, "research")
    assert [(one.number, one.from_state, one.to_state, one.reason) for one in steps] == [
        (1, None, "initialized", None),
        (2, "initialized", "processing", "go"),
        (3, "processing", "failed", None),
    ]


def test_what_the_machine_does_not_know_is_refused(ask: Ask, sessions: SessionService) -> None:
    move = sessions.transition_state
    key = ask(sessions.create_session, "research", "ada")

    with pytest.raises(InvalidStateTransitionError, match="Invalid state transition: no state"):
        ask(move, key, "research", "procesing")
    with pytest.raises(InvalidStateTransitionError, match="is 'initialized', not 'processing'"):
        ask(move, key, "research", "failed", expected_state="processing")
    ask(move, key, "research", "failed")
    with pytest.raises(InvalidStateTransitionError, match="that is final"):
        ask(move, key, "research", "processing")
    with pytest.raises(RecordNotFoundError, match="research session not found: 'no such'"):
        ask(move, "no such", "research", "failed")
    assert ask(sessions.get_session, key, "research").state == "failed"
    assert len(ask(sessions.get_history, key, "research")) == 2


@pytest.mark.parametrize(
    "data", [{}, {"score": 0.4}, {"score": "0.9"}, {"score": None}, {"score": {"score": 1}}]
)
def test_a_guard_that_does_not_hold_forbids_the_step(
    sessions: SessionService, data: dict[str, Any]
) -> None:
    key = sessions.create_session("research", "ada", data=data, ticker="AAPL")
    sessions.transition_state(key, "research", "processing")

    with pytest.raises(GuardError, match=r"only if `ticker is not null and data.score >= 0.5`"):
        sessions.transition_state(key, "research", "completed")

    sessions.update_session(key, "research", data={"score": 0.5}, state="completed")
    assert sessions.get_session(key, "research").state == "completed"


def test_an_update_keeps_all_or_nothing(ask: Ask, sessions: SessionService) -> None:
    key = ask(sessions.create_session, "research", "ada", data={"a": 1})

    with pytest.raises(InvalidStateTransitionError):
        ask(sessions.update_session, key, "research", data={"b": 2}, state="lost")

    assert ask(sessions.get_session, key, "research").data == {"a": 1}


def test_data_is_merged_and_null_takes_away(ask: Ask, sessions: SessionService) -> None:
    key = ask(sessions.create_session, "research", "ada")
    merge = sessions.update_session_data

    ask(merge, key, "research", {"a": {"b": [1, 2], "c": 3}, "d": True})
    assert ask(merge, key, "research", {"a": {"b": [4], "c": None}, "d": 1}) is True

    data = ask(sessions.get_session, key, "research").data
    assert data == {"a": {"b": [4]}, "d": 1}
    assert data["d"] is not True
    with pytest.raises(InvalidRequestError, match="a mapping is merged, not a list"):
        ask(merge, key, "research", [1])
    with pytest.raises(RecordNotFoundError):
        ask(merge, "no such", "research", {})


def test_data_of_a_model_with_versions_is_merged(ask: Ask, sessions: SessionService) -> None:
    key = ask(sessions.create_session, "chat", "ada")

    ask(sessions.update_session, key, "chat", data={"a": 1}, state="shut")
    ask(sessions.update_session, key, "chat", data={"b": 2}, state="open")

    found = ask(sessions.get_session, key, "chat")
    assert (found.data, found.phase, found.version) == ({"a": 1, "b": 2}, "open", 5)


def test_lists_come_in_pages_the_newest_first(
    ask: Ask, sessions: SessionService, frozen: FrozenClock
) -> None:
    made = []
    for number in range(5):
        frozen.advance(1 if number != 3 else 0)  # two of one moment
        made.append(ask(sessions.create_session, "research", "ada", ticker=f"T{number}"))
    ask(sessions.create_session, "research", "bob")
    ask(sessions.transition_state, made[0], "research", "failed")

    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        page = ask(sessions.list_sessions, "research", user_id="ada", limit=2, cursor=cursor)
        pages.append([one.id for one in page])
        cursor = page.next_cursor

    assert [len(page) for page in pages] == [2, 2, 1]
    found = [one for page in pages for one in page]
    assert found[0] == made[4]
    assert set(found[1:3]) == {made[2], made[3]}
    assert found[3:] == [made[1], made[0]]
    failed = ask(sessions.list_sessions, "research", state=["failed", "completed"])
    assert [one.id for one in failed] == [made[0]]
    assert [one.id for one in ask(sessions.find_sessions, "research", ticker="T2")] == [made[2]]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "é", "WyJub3RpZmljYXRpb25zIix0cnVlLDFd"])
def test_a_cursor_of_something_else_is_refused(sessions: SessionService, cursor: str) -> None:
    with pytest.raises(InvalidRequestError, match="cursor"):
        sessions.list_sessions("research", cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 10_001, True, "5"])
def test_a_limit_that_is_none_is_refused(sessions: SessionService, limit: Any) -> None:
    with pytest.raises(InvalidRequestError, match="limit"):
        sessions.list_sessions("research", limit=limit)


def test_sessions_left_alone_expire_and_others_do_not(
    ask: Ask, sessions: SessionService, frozen: FrozenClock
) -> None:
    old = ask(sessions.create_session, "research", "ada")
    done = ask(sessions.create_session, "research", "ada")
    ask(sessions.transition_state, done, "research", "completed")
    busy = ask(sessions.create_session, "research", "ada")
    frozen.advance(timedelta(hours=1, seconds=1))
    ask(sessions.update_session_data, busy, "research", {"a": 1})

    assert ask(sessions.expire_sessions, "research") == 1
    assert ask(sessions.expire_sessions, "research") == 0

    states = [ask(sessions.get_session, one, "research").state for one in (old, done, busy)]
    assert states == ["failed", "completed", "initialized"]
    assert ask(sessions.get_history, old, "research")[-1].reason == "expired"
    with pytest.raises(InvalidRequestError, match="chat sessions do not expire"):
        ask(sessions.expire_sessions, "chat")


def test_a_deleted_session_is_gone(ask: Ask, sessions: SessionService, timber: Timber) -> None:
    key = ask(sessions.create_session, "research", "ada")
    model = timber.models.get("ResearchSession")
    with timber.database.session_scope() as session:
        session.delete(session.get_one(model, key))

    for function, arguments in (
        (sessions.get_session, ()),
        (sessions.transition_state, ("failed",)),
        (sessions.update_session_data, ({"a": 1},)),
    ):
        with pytest.raises(RecordNotFoundError):
            ask(function, key, "research", *arguments)


def test_a_state_that_others_change_meanwhile_is_noticed(
    sessions: SessionService, timber: Timber
) -> None:
    key = sessions.create_session("research", "ada")
    model = timber.models.get("ResearchSession")

    with timber.persistence.unit_of_work() as unit:
        at_hand: Any = unit.session.get_one(model, key)
        unit.session.execute(
            update(model).where(model.id == key).values(state="processing"),
            execution_options={"synchronize_session": False},
        )
        with pytest.raises(GuardError):
            unit.sessions.transition_state(key, "research", "completed")
        unit.sessions.transition_state(key, "research", "failed")
        assert at_hand.state == "failed"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("data.a = 1", {"int", "float"}),
        ("data.a between 0.5 and 1.5", {"int", "float"}),
        ("data.a in (1, 2)", {"int", "float"}),
        ("data.a = '1'", {"text"}),
        ("data.a like '1%'", {"text"}),
        ("data.a = true", {"true"}),
        ("data.a", {"true"}),
        ("not data.a", {"false"}),
        ("data.a is null", {"null", "absent", "nothing"}),
        ("data.a is not null", {"int", "float", "text", "true", "false", "list", "deep"}),
        ("data.a.b > 1 or data.a > 1", {"deep"}),
    ],
)
def test_what_lies_in_json_is_of_one_kind_on_every_database(
    timber: Timber, condition: str, holds: set[str]
) -> None:
    model = timber.models.get("ResearchSession")
    values: dict[str, Any] = {"int": 1, "float": 1.0, "text": "1", "true": True, "false": False}
    values |= {"null": None, "list": [1], "deep": {"b": 2}}
    data: dict[str, Any] = {name: {"a": one} for name, one in values.items()}
    data |= {"absent": {}, "nothing": None}
    guard = parse_guard(condition, dialect=timber.database.engine.dialect.name)

    with timber.database.session_scope() as session:
        session.add_all(model(user_id="ada", ticker=name, data=one) for name, one in data.items())
        session.flush()
        found = set(session.scalars(select(model.ticker).where(guard.expression)))

    assert found == holds
