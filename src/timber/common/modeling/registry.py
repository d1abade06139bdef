"""Finds models by name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from timber.common.errors import ModelNotFoundError, NotOpenError
from timber.common.modeling.spec import ModelSpec


class ModelRegistry:
    """The models of one Timber; stable, and filled while the Timber is open."""

    def __init__(self) -> None:
        self._classes: Mapping[str, type[Any]] | None = None
        self._notes: tuple[str, ...] = ()
        self._sessions: Mapping[str, type[Any]] = {}

    def get(self, name: str) -> type[Any]:
        """Return the mapped class of that name.

        Raises:
            NotOpenError: the Timber is not open.
            ModelNotFoundError: no model file defines it.

        """
        classes = self._opened()
        if name not in classes:
            raise ModelNotFoundError(name, known=classes)
        return classes[name]

    def spec(self, name: str) -> ModelSpec:
        """Return what the model file says about the model: states, session type, flags.

        Raises:
            NotOpenError: the Timber is not open.
            ModelNotFoundError: no model file defines it.

        """
        return cast("ModelSpec", self.get(name).__timber__)

    def of_session_type(self, session_type: str) -> type[Any] | None:
        """Return the mapped class whose rows are sessions of that type; None if there is none.

        Raises:
            NotOpenError: the Timber is not open.

        """
        self._opened()
        return self._sessions.get(session_type)

    def session_types(self) -> tuple[str, ...]:
        """Return the types of sessions that there are, sorted.

        Raises:
            NotOpenError: the Timber is not open.

        """
        self._opened()
        return tuple(sorted(self._sessions))

    def names(self) -> tuple[str, ...]:
        """Return the names of all models, sorted."""
        return tuple(sorted(self._opened()))

    def notes(self) -> tuple[str, ...]:
        """Return what was read otherwise than it is written, each as `file:line:col: what`.

        Raises:
            NotOpenError: the Timber is not open.

        """
        self._opened()
        return self._notes

    def open(self, classes: Mapping[str, type[Any]], *, notes: Sequence[str] = ()) -> None:
        """Fill the registry."""
        self._classes = MappingProxyType(dict(classes))
        self._notes = tuple(notes)
        self._sessions = {
            model.__timber__.session_type: model
            for model in classes.values()
            if model.__timber__.session_type
        }

    def close(self) -> None:
        """Empty the registry."""
        self._classes = None
        self._sessions = {}

    def _opened(self) -> Mapping[str, type[Any]]:
        if self._classes is None:
            raise NotOpenError
        return self._classes
