import pytest
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.core.models import Memory

class TestMemoryStore:
    """Test memory store functionality."""

    @pytest.mark.asyncio
    async def test_memory_creation(self, settings):
        """Test creating memory entries."""
        store = SQLiteStore(settings)
        await store.initialize()

        memory = Memory(
            content="Test memory",
            type="recent",
            metadata={"source": "test"}
        )

        memory_id = await store.add_memory("test-agent", memory)

        assert memory_id is not None
        assert len(memory_id) > 0

    @pytest.mark.asyncio
    async def test_memory_search(self, settings):
        """Test memory search functionality."""
        store = SQLiteStore(settings)
        await store.initialize()

        # Add test memories
        memory1 = Memory(content="AI is amazing", type="core")
        memory2 = Memory(content="Blockchain technology", type="recent")

        await store.add_memory("test-agent", memory1)
        await store.add_memory("test-agent", memory2)

        # Search for AI-related memories
        results = await store.search_memories("test-agent", "artificial intelligence", limit=5)

        assert len(results) > 0
        assert any("AI" in result.content for result in results)

    @pytest.mark.asyncio
    async def test_memory_deletion(self, settings):
        """Test memory deletion."""
        store = SQLiteStore(settings)
        await store.initialize()

        memory = Memory(content="Test memory", type="recent")
        memory_id = await store.add_memory("test-agent", memory)

        # Verify memory exists
        memories = await store.get_memories("test-agent", limit=10)
        assert any(m.id == memory_id for m in memories)

        # Delete memory
        await store.delete_memory("test-agent", memory_id)

        # Verify memory is deleted
        memories = await store.get_memories("test-agent", limit=10)
        assert not any(m.id == memory_id for m in memories)
