# CHANGED: asyncio, MagicMock and FakeLLMProvider are used below, and never imported as printed.
import asyncio
from unittest.mock import MagicMock

import pytest
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.fake_provider import FakeLLMProvider
from puppet_engine.memory.sqlite_store import SQLiteStore

class TestAgentWorkflow:
    """Test complete agent workflows."""

    @pytest.mark.asyncio
    async def test_agent_lifecycle(self, settings):
        """Test complete agent lifecycle."""
        # Initialize components
        memory_store = SQLiteStore(settings)
        await memory_store.initialize()

        event_engine = EventEngine()
        await event_engine.start()

        agent_manager = AgentManager({
            'memory_store': memory_store,
            'default_llm_provider': FakeLLMProvider(),
            'event_engine': event_engine
        })

        # Create agent
        agent_config = {
            "id": "workflow-test-agent",
            "name": "Workflow Test Agent",
            "personality": {
                "traits": ["curious"],
                "values": ["knowledge"],
                "speaking_style": "Friendly",
                "interests": ["technology"]
            },
            "behavior": {
                "post_frequency": {
                    "min_hours_between_posts": 0.01,  # Very frequent for testing
                    "max_hours_between_posts": 0.02
                }
            }
        }

        agent_id = await agent_manager.create_agent(agent_config)

        # Start agent
        await agent_manager.start_agents()

        # Wait for some activity
        await asyncio.sleep(0.1)

        # Verify agent is active
        assert agent_id in agent_manager.agents
        assert agent_manager.agents[agent_id].is_active

        # Stop agent
        await agent_manager.stop_agents()
        await event_engine.stop()

        # Verify agent is stopped
        assert not agent_manager.agents[agent_id].is_active

    @pytest.mark.asyncio
    async def test_agent_memory_integration(self, settings):
        """Test agent memory integration."""
        memory_store = SQLiteStore(settings)
        await memory_store.initialize()

        agent_manager = AgentManager({
            'memory_store': memory_store,
            'default_llm_provider': FakeLLMProvider(),
            'event_engine': MagicMock()
        })

        # Create agent with initial memory
        agent_config = {
            "id": "memory-test-agent",
            "name": "Memory Test Agent",
            "initial_memory": {
                "core_memories": ["I am a test agent"],
                "recent_events": ["Just started testing"]
            }
        }

        agent_id = await agent_manager.create_agent(agent_config)

        # Verify initial memories are loaded
        memories = await memory_store.get_memories(agent_id, limit=10)
        assert len(memories) >= 2

        # Add new memory
        await agent_manager.add_memory(agent_id, "New test memory", "recent")

        # Verify new memory is added
        memories = await memory_store.get_memories(agent_id, limit=10)
        assert len(memories) >= 3
        assert any("New test memory" in m.content for m in memories)
