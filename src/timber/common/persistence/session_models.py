"""The models whose rows are sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper, selectinload

from timber.common.errors import SessionTypeError
from timber.common.modeling.conditions import parse_guard
from timber.common.modeling.features import StatesSpec
from timber.common.modeling.registry import ModelRegistry

_LAZY: Final = frozenset({"select", True})


@dataclass(frozen=True)
class SessionModel:
    """One type of sessions: its model, and the state machine of its rows."""

    session_type: str
    model: type[Any]
    states: StatesSpec

    @cached_property
    def mapper(self) -> Mapper[Any]:
        mapper: Mapper[Any] = inspect(self.model)
        return mapper

    @cached_property
    def key(self) -> Any:
        """The attribute by which a session is found."""
        [column] = self.mapper.primary_key
        return getattr(self.model, self.mapper.get_property_by_column(column).key)

    @cached_property
    def state(self) -> Any:
        """The attribute that holds the state."""
        return getattr(self.model, self.states.column)

    @cached_property
    def restore_key(self) -> Callable[[str], Any]:
        """Makes a key out of its text."""
        kind = self.key.type.python_type
        return kind if kind in {int, UUID} else str

    @cached_property
    def related(self) -> tuple[Any, ...]:
        """Options that load what relationships would load later, when no session is there."""
        return tuple(
            selectinload(getattr(self.model, one.key))
            for one in self.mapper.relationships
            if one.lazy in _LAZY
        )

    def guards(self, source: str, target: str, *, dialect: str) -> tuple[Any, ...]:
        """Return what the database asks of a row that goes from state to state."""
        return tuple(
            parse_guard(written, dialect=dialect).expression
            for written in self.states.conditions(source, target)
        )


class SessionModels:
    """Finds the models of sessions by their type."""

    def __init__(self, models: ModelRegistry) -> None:
        self._models = models
        self._known: dict[str, SessionModel] = {}

    def get(self, session_type: str) -> SessionModel:
        """Return the model of a type.

        Raises:
            SessionTypeError: no model has it, or the model cannot keep sessions.

        """
        model = self._models.of_session_type(session_type)
        known = self._known.get(session_type)
        if known is not None and known.model is model:
            return known
        if model is None:
            listed = ", ".join(self._models.session_types()) or "none"
            raise SessionTypeError(f"no session type {session_type!r}; there are: {listed}")
        found = SessionModel(session_type, model, _states(model))
        self._known[session_type] = found
        return found


def _states(model: type[Any]) -> StatesSpec:
    states: StatesSpec | None = model.__timber__.states
    missing = ""
    if states is None:
        missing = "`states`"
    elif "user_id" not in model.__table__.columns:
        missing = "a column `user_id`"
    elif len(model.__table__.primary_key) != 1:
        missing = "a primary key of one column"
    if states is None or missing:
        raise SessionTypeError(f"{model.__name__} cannot keep sessions: it needs {missing}")
    return states
