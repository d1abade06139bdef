"""The door to the models of the process-wide Timber."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.orm import DeclarativeBase

from timber.common.runtime import default_timber

__all__ = ["Base", "get_model"]

Base: Final[type[DeclarativeBase]] = default_timber.base
"""The base of every model; `Base.metadata` holds their tables."""

get_model: Final[Callable[[str], type[Any]]] = default_timber.models.get
"""Returns a model by name; see `ModelRegistry.get`."""
