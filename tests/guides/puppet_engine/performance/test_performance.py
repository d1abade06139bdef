import pytest
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from puppet_engine.core.models import Memory  # CHANGED: used, and never imported.

@pytest.mark.performance  # CHANGED: marked, as the loads of the other guide are.
class TestPerformance:
    """Test system performance."""

    @pytest.mark.asyncio
    async def test_concurrent_agent_operations(self, agent_manager, sample_agent_config):
        """Test concurrent agent operations."""
        # Create multiple agents
        agent_ids = []
        for i in range(10):
            config = sample_agent_config.copy()
            config["id"] = f"perf-test-agent-{i}"
            agent_id = await agent_manager.create_agent(config)
            agent_ids.append(agent_id)

        # Perform concurrent operations
        async def concurrent_operation(agent_id):
            await agent_manager.add_memory(agent_id, f"Memory for {agent_id}", "recent")
            return await agent_manager.get_memories(agent_id, limit=5)

        start_time = time.time()

        # Run concurrent operations
        tasks = [concurrent_operation(agent_id) for agent_id in agent_ids]
        results = await asyncio.gather(*tasks)

        end_time = time.time()

        # Verify results
        assert len(results) == 10
        assert end_time - start_time < 5.0  # Should complete within 5 seconds

    @pytest.mark.asyncio
    async def test_memory_search_performance(self, settings):
        """Test memory search performance."""
        from puppet_engine.memory.sqlite_store import SQLiteStore

        store = SQLiteStore(settings)
        await store.initialize()

        # Add many memories
        for i in range(1000):
            memory = Memory(
                content=f"Memory {i} about technology and AI",
                type="recent",
                metadata={"index": i}
            )
            await store.add_memory("test-agent", memory)

        # Test search performance
        start_time = time.time()

        results = await store.search_memories("test-agent", "artificial intelligence", limit=10)

        end_time = time.time()

        # Verify performance
        assert len(results) > 0
        assert end_time - start_time < 1.0  # Should complete within 1 second
