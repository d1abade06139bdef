"""The models of the process-wide Timber, by name; `timber stubs` writes their types.

`timber_models.Book` is `get_model("Book")`, looked up each time.
A project's own `timber_models.pyi` stands in for this module, for type checkers and editors;
at run time this one is there.
"""

from typing import Any

from timber.common.errors import ModelNotFoundError
from timber.common.runtime import default_timber


def get_model(name: str) -> type[Any]:
    """Return the mapped class of that name.

    Raises:
        NotOpenError: Timber is not open.
        ModelNotFoundError: no model file defines it.

    """
    return default_timber.models.get(name)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return default_timber.models.get(name)
    except ModelNotFoundError as error:
        raise AttributeError(str(error)) from error
