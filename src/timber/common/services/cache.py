"""The door to the cache of the process-wide Timber."""

from typing import Final

from timber.common.caching.service import CacheService
from timber.common.runtime import default_timber

__all__ = ["cache_service"]

cache_service: Final[CacheService] = default_timber.cache
