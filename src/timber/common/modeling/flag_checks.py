"""Checks of what a model asks Timber to do for its rows: a flag is kept, or refused."""

from collections.abc import Iterator, Set as AbstractSet
from typing import Final

from timber.common.documents import closest
from timber.common.modeling.catalogue import Table
from timber.common.modeling.spec import ModelSpec, StatesSpec

FLAGS: Final = ("encryption", "caching", "vector_search", "gdpr")
"""The flags of a model that need a backend."""


def flag_problems(table: Table, backends: AbstractSet[str]) -> Iterator[str]:
    """Check states and flags of a model; `backends` names the flags that work here."""
    if table.model is None:
        return
    yield from _backend_problems(table, table.model, backends)
    yield from _field_problems(table, table.model)
    if table.model.states:
        yield from _state_problems(table, table.model.states)
        yield from _state_column_problems(table, table.model.states)


def _backend_problems(table: Table, model: ModelSpec, backends: AbstractSet[str]) -> Iterator[str]:
    for flag in FLAGS:
        wanted = getattr(model, flag)
        if wanted is not None and wanted.enabled and flag not in backends:
            message = (
                f"{model.name} enables {flag!r}, which this version of Timber cannot do: "
                "set `enabled: false`"
            )
            yield table.problem(flag, message=message, of_key=True)


def _field_problems(table: Table, model: ModelSpec) -> Iterator[str]:
    named: list[tuple[tuple[str | int, ...], str]] = []
    if model.encryption:
        named += [(("encryption", "fields", i), n) for i, n in enumerate(model.encryption.fields)]
    if model.vector_search:
        named.append((("vector_search", "content_field"), model.vector_search.content_field))
    if model.gdpr:
        named += [
            (("gdpr", "export_fields", i), n) for i, n in enumerate(model.gdpr.export_fields)
        ]
        if model.gdpr.user_id_field:
            named.append((("gdpr", "user_id_field"), model.gdpr.user_id_field))
    for path, name in named:
        if name not in table.columns:
            message = f"{table.name!r} has no column {name!r}{closest(name, table.columns)}"
            yield table.problem(*path, message=message)


def _state_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    declared = {*states.transitions, *states.final}
    if states.initial not in declared:
        message = f"{states.initial!r} has no transitions and is not final"
        yield table.problem(
            "states", "initial", message=message + closest(states.initial, declared)
        )
    for state, targets in states.transitions.items():
        if state in states.final and targets:
            message = f"{state!r} is final, so nothing can follow it"
            yield table.problem("states", "transitions", state, message=message, of_key=True)
        for place, target in enumerate(targets):
            if target not in declared:
                message = f"{target!r} has no transitions and is not final"
                where = ("states", "transitions", state, place)
                yield table.problem(*where, message=message + closest(target, declared))


def _state_column_problems(table: Table, states: StatesSpec) -> Iterator[str]:
    column = table.columns.get(states.column)
    if column is None:
        hint = closest(states.column, table.columns)
        message = f"{table.name!r} has no column {states.column!r} to keep the state in{hint}"
        yield table.problem("states", message=message, of_key=True)
        return
    kind = column.column_type
    longest = max(map(len, states.all))
    if kind.name not in {"String", "Text"}:
        message = f"the state is text, but {column.name!r} is of type {column.type}"
        yield table.problem("states", message=message, of_key=True)
    elif kind.arguments and longest > kind.arguments[0]:
        message = f"a state has {longest} characters, {column.name!r} holds {kind.arguments[0]}"
        yield table.problem("states", message=message, of_key=True)
    if column.default not in {None, states.initial}:
        message = f"{column.name!r} starts as {column.default!r}, not as the initial state"
        yield table.problem("states", "initial", message=message)
