"""The door to the retention of the process-wide Timber."""

from typing import Final

from timber.common.retention.service import RetentionService
from timber.common.runtime import default_timber

__all__ = ["retention_service"]

retention_service: Final[RetentionService] = default_timber.retention
