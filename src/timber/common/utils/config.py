"""The door to the settings of the process-wide Timber."""

from typing import Final

from timber.common.runtime import default_timber
from timber.common.settings import Config

__all__ = ["config"]

config: Final[Config] = default_timber.config
