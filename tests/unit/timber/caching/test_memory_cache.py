"""The fake that the interleavings rest on keeps the promises of the real one."""

import pytest
from tests.unit.timber.caching.memory_cache import MemoryCache
from typing_extensions import override

from timber.common.caching.base import SharedCache
from timber.testing.contracts import SharedCacheContract

pytestmark = pytest.mark.unit


class TestMemoryCache(SharedCacheContract):
    @pytest.fixture
    @override
    def shared_cache(self) -> SharedCache:
        return MemoryCache()
