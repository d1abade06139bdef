"""Any sequence of requests gets the answers that a plain model of the services gives."""

import contextlib
import copy
import dataclasses
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.integration.timber.services.conftest import add_users
from tests.lent_timbers import empty

from timber.common.errors import (
    GuardError,
    IdempotencyConflictError,
    InvalidStateTransitionError,
    RecordNotFoundError,
    TimberError,
    UserNotFoundError,
)
from timber.common.persistence.manager import UnitOfWork
from timber.common.runtime import Timber
from timber.testing.clock import MORNING, FrozenClock

pytestmark = pytest.mark.integration

USERS = ("ada", "bob")
FINAL = {"completed", "failed"}
TRANSITIONS = {
    "initialized": {"processing", "completed", "failed"},
    "processing": {"completed", "failed"},
    "completed": set[str](),
    "failed": set[str](),
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e9, 1e9, allow_subnormal=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
)
keys = st.sampled_from(["a", "b", "score", "é.$\"'"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
patches = st.dictionaries(keys, values, max_size=3)
users = st.sampled_from([*USERS, "nobody"])
tokens = st.none() | st.sampled_from(["k1", "k2"])
states = st.sampled_from([*TRANSITIONS, "lost"])


def merge(target: Any, patch: Any) -> Any:
    """Return what RFC 7396 says, as its own pseudo-code has it."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge(target.get(name), value)
    return target


def strict(value: Any) -> Any:
    """Tell 1 from true, which Python calls equal, but not 1 from 1.0, which JSON does not."""
    match value:
        case dict():
            return {key: strict(one) for key, one in value.items()}
        case list():
            return [strict(one) for one in value]
        case bool():
            return ("boolean", value)
        case _:
            return value


@dataclasses.dataclass
class Session:
    user: str
    ticker: str | None
    changed: datetime
    state: str = "initialized"
    data: Any = None
    history: list[tuple[str | None, str]] = dataclasses.field(
        default_factory=lambda: [(None, "initialized")]
    )

    def problem(self, target: str) -> type[TimberError] | None:
        if target not in TRANSITIONS[self.state]:
            return InvalidStateTransitionError
        score: Any = self.data.get("score") if isinstance(self.data, dict) else None
        holds = type(score) in {int, float} and score >= 0.5 and self.ticker is not None
        if (self.state, target) == ("processing", "completed") and not holds:
            return GuardError
        return None

    def move(self, target: str, now: datetime) -> None:
        self.history.append((self.state, target))
        self.state, self.changed = target, now


@dataclasses.dataclass
class Note:
    user: str
    number: int
    kind: str
    expires: datetime | None
    read_at: datetime | None = None


class Services(RuleBasedStateMachine):
    """The services beside the model, through one door or another."""

    timber: ClassVar[Timber]
    clock: ClassVar[FrozenClock]

    sessions: Bundle[str] = Bundle("sessions")
    notes: Bundle[str] = Bundle("notes")
    events: Bundle[str] = Bundle("events")

    def __init__(self) -> None:
        super().__init__()
        empty(self.timber)
        add_users(self.timber, *USERS)
        self.clock.move_to(MORNING)
        self.model_sessions: dict[str, Session] = {}
        self.model_notes: dict[str, Note] = {}
        self.model_events: dict[str, tuple[str, str, Any, datetime]] = {}
        self.numbers = dict.fromkeys(USERS, 0)
        self.used: dict[tuple[Any, ...], tuple[Any, str]] = {}

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def agree(self, expected: type[TimberError] | None, work: Any) -> Any:
        """Return the answer, or None when both say that it cannot be done, and why."""
        try:
            answer = work()
        except TimberError as error:
            assert type(error) is expected, repr(error)  # noqa: PT017 - both may say so
            return None
        assert expected is None, f"{expected} was expected"
        return answer

    def creating(
        self, operation: str, user: str, token: str | None, request: Any, work: Any
    ) -> tuple[str | None, bool]:
        """Return the key of what was created, and whether it is new."""
        known = self.used.get((operation, user, token)) if token else None
        problem: type[TimberError] | None = None
        if user not in USERS:
            problem = UserNotFoundError
        elif known and strict(known[0]) != strict(request):
            problem = IdempotencyConflictError
        key = self.agree(problem, work)
        if known and key:
            assert key == known[1]
            return key, False
        if key and token:
            self.used[operation, user, token] = (copy.deepcopy(request), key)
        return key, True

    @initialize()
    def begin(self) -> None:
        assert len(self.timber.persistence.sessions.list_sessions("research")) == 0

    @rule(target=sessions, user=users, ticker=st.none() | st.just("A"), data=patches, token=tokens)
    def create_session(self, user: str, ticker: str | None, data: Any, token: str | None) -> Any:
        service = self.timber.persistence.sessions
        key, is_new = self.creating(
            "session",
            user,
            token,
            {"ticker": ticker, "data": data},
            lambda: service.create_session(
                "research", user, data=data, ticker=ticker, idempotency_key=token
            ),
        )
        if key is None or not is_new:
            return multiple()
        self.model_sessions[key] = Session(user, ticker, self.now, data=copy.deepcopy(data))
        return key

    @rule(key=sessions, target_state=states, in_unit=st.booleans())
    def transition(self, key: str, target_state: str, in_unit: bool) -> None:
        found = self.model_sessions[key]
        problem = found.problem(target_state)

        def work() -> bool:
            if not in_unit:
                service = self.timber.persistence.sessions
                return service.transition_state(key, "research", target_state)
            with self.timber.persistence.unit_of_work() as unit:
                return unit.update_research_session(key, "research", state=target_state)

        if self.agree(problem, work):
            found.move(target_state, self.now)

    @rule(key=sessions, patch=patches, target_state=st.none() | states)
    def update(self, key: str, patch: Any, target_state: str | None) -> None:
        found = copy.deepcopy(self.model_sessions[key])
        found.data = merge(found.data or {}, copy.deepcopy(patch))
        found.changed = self.now
        problem = found.problem(target_state) if target_state else None

        done = self.agree(
            problem,
            lambda: self.timber.persistence.update_research_session(
                key, "research", state=target_state, data=patch
            ),
        )
        if done:
            if target_state:
                found.move(target_state, self.now)
            self.model_sessions[key] = found

    @rule()
    def expire(self) -> None:
        old = [
            one
            for one in self.model_sessions.values()
            if one.state not in FINAL and one.changed < self.now - timedelta(hours=1)
        ]

        assert self.timber.persistence.sessions.expire_sessions("research") == len(old)

        for one in old:
            one.move("failed", self.now)

    @rule(
        target=notes,
        user=users,
        kind=st.sampled_from("xy"),
        lives=st.none() | st.integers(1, 3),
        token=tokens,
    )
    def notify(self, user: str, kind: str, lives: int | None, token: str | None) -> Any:
        expires = self.now + timedelta(minutes=lives * 30) if lives else None
        key, is_new = self.creating(
            "note",
            user,
            token,
            {"kind": kind, "expires": expires},
            lambda: self.timber.persistence.create_notification(
                user, kind, "T", "M", expires_at=expires, idempotency_key=token
            ),
        )
        if key is None or not is_new:
            return multiple()
        self.numbers[user] += 1
        self.model_notes[key] = Note(user, self.numbers[user], kind, expires)
        return key

    def alive(self, note: Note | None) -> bool:
        return note is not None and (note.expires is None or note.expires > self.now)

    @rule(key=notes)
    def read_note(self, key: str) -> None:
        note = self.model_notes.get(key)
        problem = None if self.alive(note) else RecordNotFoundError
        service = self.timber.persistence.notifications
        if self.agree(problem, lambda: service.mark_as_read(key)) and note:
            note.read_at = note.read_at or self.now

    @rule(user=st.sampled_from(USERS))
    def read_all(self, user: str) -> None:
        unread = [
            one
            for one in self.model_notes.values()
            if one.user == user and self.alive(one) and one.read_at is None
        ]
        assert self.timber.persistence.notifications.mark_all_as_read(user) == len(unread)
        for one in unread:
            one.read_at = self.now

    @rule(key=notes)
    def delete_note(self, key: str) -> None:
        problem = None if key in self.model_notes else RecordNotFoundError
        service = self.timber.persistence.notifications
        if self.agree(problem, lambda: service.delete_notification(key)):
            del self.model_notes[key]

    @rule()
    def delete_expired(self) -> None:
        gone = [key for key, one in self.model_notes.items() if not self.alive(one)]
        assert self.timber.persistence.notifications.delete_expired() == len(gone)
        for key in gone:
            del self.model_notes[key]

    @rule(target=events, user=users, kind=st.sampled_from("xy"), data=values, token=tokens)
    def track(self, user: str, kind: str, data: Any, token: str | None) -> Any:
        key, is_new = self.creating(
            "event",
            user,
            token,
            {"kind": kind, "data": data},
            lambda: self.timber.persistence.track_event(user, kind, data, idempotency_key=token),
        )
        if key is None or not is_new:
            return multiple()
        self.model_events[key] = (user, kind, data, self.now)
        return key

    @rule(kinds=st.lists(st.sampled_from("xy"), min_size=1, max_size=3), user=users)
    def track_many(self, kinds: list[str], user: str) -> None:
        with self.timber.persistence.tracker.buffered(wait_seconds=0) as buffer:
            taken = [(kind, buffer.track_event(user, kind)) for kind in kinds]
        for kind, future in taken:
            problem = None if user in USERS else UserNotFoundError
            key = self.agree(problem, lambda future=future: future.result(0))
            if key:
                self.model_events[key] = (user, kind, None, self.now)

    @rule(minutes=st.sampled_from([1, 29, 40]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @precondition(lambda self: self.model_sessions)
    @rule(key=sessions, user=st.sampled_from(USERS))
    def undo_a_unit(self, key: str, user: str) -> None:
        """Do several things in one transaction, and fail in the end."""

        def work(unit: UnitOfWork) -> None:
            unit.update_research_session(key, "research", data={"undone": True})
            unit.create_notification(user, "x", "undone", "M")
            unit.track_event(user, "x", "undone")
            raise ZeroDivisionError

        with contextlib.suppress(ZeroDivisionError):
            self.timber.persistence.run(work)

    @rule(key=sessions)
    def look_at_a_session(self, key: str) -> None:
        model = self.model_sessions[key]
        found = self.timber.persistence.get_research_session(key, "research")
        steps = self.timber.persistence.sessions.get_history(key, "research")

        assert (found.user_id, found.state, found.ticker) == (
            model.user,
            model.state,
            model.ticker,
        )
        assert strict(found.data) == strict(model.data)
        assert [(one.from_state, one.to_state) for one in steps] == model.history

    @rule(key=events)
    def look_at_an_event(self, key: str) -> None:
        user, kind, data, moment = self.model_events[key]
        found = self.timber.persistence.tracker.get_event(key)
        assert (found.user_id, found.event_type, found.occurred_at) == (user, kind, moment)
        assert strict(found.event_data) == strict(data)

    @rule(user=st.sampled_from(USERS), limit=st.integers(1, 3))
    def look_at_lists(self, user: str, limit: int) -> None:
        mine = {
            key: one
            for key, one in self.model_notes.items()
            if one.user == user and self.alive(one)
        }
        order = sorted(mine, key=lambda key: (mine[key].read_at is not None, -mine[key].number))
        service = self.timber.persistence
        assert self.all_of(service.notifications.get_user_notifications, user, limit) == order
        events = {key: one for key, one in self.model_events.items() if one[0] == user}
        newest = sorted(events, key=lambda key: (events[key][3], key), reverse=True)
        assert self.all_of(service.tracker.get_user_events, user, limit) == newest

    def all_of(self, read: Any, user: str, limit: int) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = read(user, limit, cursor=cursor)
            found += [one.id for one in page]
            cursor = page.next_cursor
            if cursor is None:
                return found

    @invariant()
    def counts_agree(self) -> None:
        if not self.timber.is_open:
            return
        by_type: dict[str, int] = {}
        for _, kind, _, _ in self.model_events.values():
            by_type[kind] = by_type.get(kind, 0) + 1
        assert self.timber.persistence.tracker.count_by_type() == by_type
        for user in USERS:
            counts = self.timber.persistence.notifications.count_notifications(user)
            mine = [
                one for one in self.model_notes.values() if one.user == user and self.alive(one)
            ]
            assert counts.total == len(mine)
            assert counts.unread == sum(one.read_at is None for one in mine)


def check(timber: Timber, clock: FrozenClock, *, runs: int, steps: int) -> None:
    class Bound(Services):
        pass

    Bound.timber, Bound.clock = timber, clock
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_services_answer_as_the_model(opened: Timber, clock_of_all: FrozenClock) -> None:
    check(opened, clock_of_all, runs=6, steps=30)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_they_do_so_for_ten_thousand_steps(opened: Timber, clock_of_all: FrozenClock) -> None:
    check(opened, clock_of_all, runs=200, steps=50)
