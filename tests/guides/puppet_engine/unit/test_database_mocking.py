import pytest
from unittest.mock import AsyncMock, MagicMock

from puppet_engine.core.models import Memory  # CHANGED: used, and never imported.

class TestDatabaseMocking:
    """Test database mocking strategies."""

    @pytest.mark.asyncio
    async def test_sqlite_memory_database(self, settings):
        """Test using in-memory SQLite for testing."""
        # Use in-memory database
        settings.database_url = "sqlite:///:memory:"

        from puppet_engine.memory.sqlite_store import SQLiteStore
        store = SQLiteStore(settings)
        await store.initialize()

        # Test operations
        memory = Memory(content="Test memory", type="recent")
        memory_id = await store.add_memory("test-agent", memory)

        assert memory_id is not None

        memories = await store.get_memories("test-agent", limit=10)
        assert len(memories) == 1
        assert memories[0].content == "Test memory"

    @pytest.mark.asyncio
    async def test_mock_memory_store(self, mock_memory_store):
        """Test using mock memory store."""
        memory = Memory(content="Test memory", type="recent")

        memory_id = await mock_memory_store.add_memory("test-agent", memory)
        assert memory_id == "mem_123"

        mock_memory_store.add_memory.assert_called_once()
