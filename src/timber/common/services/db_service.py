"""The door to the database of the process-wide Timber."""

from typing import Final

from timber.common.database.service import DatabaseService
from timber.common.runtime import default_timber

__all__ = ["db_service"]

db_service: Final[DatabaseService] = default_timber.database
