import pytest
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.core.models import AgentConfig, Memory  # CHANGED: `Memory` too, for the last test.

class TestAgentManager:
    """Test agent management functionality."""

    @pytest.mark.asyncio
    async def test_agent_creation(self, agent_manager, sample_agent_config):
        """Test creating a new agent."""
        agent_id = await agent_manager.create_agent(sample_agent_config)

        assert agent_id == "test-agent"
        assert "test-agent" in agent_manager.agents

        agent = agent_manager.agents["test-agent"]
        assert agent.name == "Test Agent"
        assert agent.personality.traits == ["curious", "helpful"]

    @pytest.mark.asyncio
    async def test_agent_posting(self, agent_manager, sample_agent_config, mock_twitter_client):
        """Test agent posting functionality."""
        agent_id = await agent_manager.create_agent(sample_agent_config)
        agent_manager.twitter_client = mock_twitter_client

        post_id = await agent_manager.trigger_post(agent_id, {"topic": "AI"})

        assert post_id == "tweet_123"
        mock_twitter_client.post_tweet.assert_called_once()

    @pytest.mark.asyncio
    async def test_agent_memory_management(self, agent_manager, sample_agent_config, mock_memory_store):
        """Test agent memory operations."""
        agent_id = await agent_manager.create_agent(sample_agent_config)

        memory_id = await agent_manager.add_memory(agent_id, "Test memory", "recent")

        assert memory_id == "mem_123"
        mock_memory_store.add_memory.assert_called_once_with(
            agent_id, 
            # CHANGED: what is kept is a Memory; pytest.approx compares numbers only.
            Memory(content="Test memory", type="recent")
        )
