"""The door to export and erasure, of the process-wide Timber."""

from typing import Final

from timber.common.gdpr.service import GdprService
from timber.common.runtime import default_timber

__all__ = ["gdpr_service"]

gdpr_service: Final[GdprService] = default_timber.gdpr
