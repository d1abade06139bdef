"""Checks of state machines: every state can be reached, and what is final stays."""

from collections.abc import Iterator

from timber.common.documents import closest
from timber.common.modeling.catalogue import Table
from timber.common.modeling.conditions import parse_guard
from timber.common.modeling.features import StatesSpec


def state_problems(table: Table) -> Iterator[str]:
    """Check the state machine of a model, if it has one."""
    if table.model and table.model.states:
        yield from _name_problems(table, table.model.states)
        yield from _reach_problems(table, table.model.states)
        yield from _column_problems(table, table.model.states)
        yield from _guard_problems(table, table.model.states)
        yield from _expiry_problems(table, table.model.states)


def _name_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    declared = {*states.transitions, *states.final}
    if states.initial not in declared:
        message = f"{states.initial!r} has no transitions and is not final"
        hint = closest(states.initial, declared)
        yield table.problem("states", "initial", message=message + hint)
    for state, targets in states.transitions.items():
        where = ("states", "transitions", state)
        if state in states.final and targets:
            message = f"{state!r} is final, so nothing can follow it"
            yield table.problem(*where, message=message, of_key=True)
        for place, target in enumerate(targets):
            if target not in declared:
                message = f"{target!r} has no transitions and is not final"
                yield table.problem(*where, place, message=message + closest(target, declared))


def _reach_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    reachable = states.reachable
    message = "no transition leads to {!r} from the initial state"
    for state in states.transitions:
        if state not in reachable:
            where = ("states", "transitions", state)
            yield table.problem(*where, message=message.format(state), of_key=True)
    for place, state in enumerate(states.final):
        if state not in reachable and state not in states.transitions:
            yield table.problem("states", "final", place, message=message.format(state))


def _column_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    column = table.columns.get(states.column)
    if column is None:
        hint = closest(states.column, table.columns)
        message = f"{table.name!r} has no column {states.column!r} to keep the state in{hint}"
        yield table.problem("states", message=message, of_key=True)
        return
    kind = column.column_type
    longest = max(map(len, states.all))
    missing = sorted(states.all - set(kind.members)) if kind.members else []
    message = ""
    if kind.family != "text" and not kind.members:
        message = f"the state is text, but {column.name!r} is of type {column.type}"
    elif missing:
        message = f"{column.name!r} cannot be {missing[0]!r}: its Enum does not name it"
    elif kind.length is not None and longest > kind.length:
        message = f"a state has {longest} characters, {column.name!r} holds {kind.length}"
    if message:
        yield table.problem("states", message=message, of_key=True)
    if column.default not in (None, states.initial):
        message = f"{column.name!r} starts as {column.default!r}, not as the initial state"
        yield table.problem("states", "initial", message=message)


def _guard_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    encryption = table.model.encryption if table.model else None
    sealed = encryption.names if encryption and encryption.enabled else ()
    for place, guard in enumerate(states.guards):
        where = ("states", "guards", place)
        sources = states.sources(guard.to)
        if not sources:
            hint = closest(guard.to, states.all)
            yield table.problem(*where, "to", message=f"no transition leads to {guard.to!r}{hint}")
        for number, source in enumerate(guard.after):
            if sources and source not in sources:
                message = f"no transition leads from {source!r} to {guard.to!r}"
                hint = closest(source, sources)
                yield table.problem(*where, "after", number, message=message + hint)
        condition = parse_guard(guard.condition)
        if problem := condition.problem(table.families):
            yield table.problem(*where, "condition", message=problem)
        for name in (*condition.names, *condition.paths):
            if name in sealed:
                message = f"{name!r} is encrypted, so the database cannot look at it"
                yield table.problem(*where, "condition", message=message)


def _expiry_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    expiry = states.expiry
    if expiry is None:
        return
    where = ("states", "expiry")
    family = table.families.get(expiry.since)
    if family != "DateTime":
        said = f"is of type {family}" if family else "is not there"
        hint = "" if family else closest(expiry.since, table.families)
        yield table.problem(
            *where,
            "since",
            message=f"seconds count from a DateTime; {expiry.since!r} {said}{hint}",
        )
    open_states = [state for state, targets in states.transitions.items() if targets]
    missing = [state for state in open_states if expiry.to not in states.transitions[state]]
    if expiry.to not in states.final:
        hint = closest(expiry.to, states.final)
        yield table.problem(*where, "to", message=f"{expiry.to!r} is not a final state{hint}")
    elif missing:
        message = f"no transition leads from {missing[0]!r} to {expiry.to!r}"
        yield table.problem(*where, "to", message=message)
