"""NumPy, where it is installed."""

from importlib import import_module
from typing import Any

from timber.common.errors import FeatureUnavailableError


def numpy() -> Any:
    """Return the module.

    Raises:
        FeatureUnavailableError: it is not installed.

    """
    return needed("numpy", feature="finding by meaning", extra="vectors")


def needed(module: str, *, feature: str, extra: str) -> Any:
    """Return a module that an extra brings.

    Raises:
        FeatureUnavailableError: it is not installed.

    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise FeatureUnavailableError(
            feature, cure=f"it needs {error.name}: pip install 'puppet-engine[{extra}]'"
        ) from error
