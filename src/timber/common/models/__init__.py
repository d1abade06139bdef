"""The door to the models of the process-wide Timber."""

from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import DeclarativeBase

from timber.common.runtime import default_timber

if TYPE_CHECKING:
    # A project's own `timber_models.pyi`, as `timber stubs` writes it, knows every model by name;
    # without one, type checkers find the module that comes with this package.
    from timber_models import get_model
else:
    get_model = default_timber.models.get
    """Returns a model by name; see `ModelRegistry.get`."""

__all__ = ["Base", "get_model"]

Base: Final[type[DeclarativeBase]] = default_timber.base
"""The base of every model; `Base.metadata` holds their tables."""
