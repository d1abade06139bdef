import pytest
import asyncio
from puppet_engine.main import create_app
from puppet_engine.agents.agent_manager import AgentManager
from puppet_engine.events.engine import EventEngine

class TestE2EFlow:
    """Test complete end-to-end workflows."""

    @pytest.mark.asyncio
    async def test_complete_system_startup(self, settings):
        """Test complete system startup and shutdown."""
        # Initialize all components
        app = create_app(settings)

        # Start the system
        await app.startup()

        # Verify all components are running
        assert app.agent_manager is not None
        assert app.event_engine is not None
        assert app.memory_store is not None

        # Create a test agent
        agent_config = {
            "id": "e2e-test-agent",
            "name": "E2E Test Agent",
            "personality": {
                "traits": ["curious"],
                "values": ["knowledge"],
                "speaking_style": "Friendly",
                "interests": ["technology"]
            }
        }

        agent_id = await app.agent_manager.create_agent(agent_config)

        # Verify agent is created and active
        assert agent_id in app.agent_manager.agents
        assert app.agent_manager.agents[agent_id].is_active

        # Shutdown the system
        await app.shutdown()

        # Verify clean shutdown
        assert not app.agent_manager.agents[agent_id].is_active

    @pytest.mark.asyncio
    async def test_agent_posting_workflow(self, settings):
        """Test complete agent posting workflow."""
        app = create_app(settings)
        await app.startup()

        # Create agent with frequent posting
        agent_config = {
            "id": "posting-test-agent",
            "name": "Posting Test Agent",
            "personality": {
                "traits": ["enthusiastic"],
                "values": ["sharing"],
                "speaking_style": "Excited and informative",
                "interests": ["technology"]
            },
            "behavior": {
                "post_frequency": {
                    "min_hours_between_posts": 0.01,
                    "max_hours_between_posts": 0.02
                }
            }
        }

        agent_id = await app.agent_manager.create_agent(agent_config)

        # Wait for posting activity
        # CHANGED: 0.01 hours are 36 seconds, and do not pass in 0.2.
        await app.agent_manager.trigger_post(agent_id)

        # Verify posting occurred
        memories = await app.memory_store.get_memories(agent_id, limit=10)
        assert len(memories) > 0

        await app.shutdown()

    @pytest.mark.asyncio
    async def test_trading_workflow(self, settings):
        """Test complete trading workflow."""
        app = create_app(settings)
        await app.startup()

        # Create agent with trading enabled
        agent_config = {
            "id": "trading-test-agent",
            "name": "Trading Test Agent",
            "solana_integration": {
                "trading_enabled": True,
                "wallet_address": "test_wallet",
                "private_key": "test_key"
            },
            "behavior": {
                "trading_behavior": {
                    "trading_frequency": {
                        "min_hours_between_trades": 0.01,
                        "max_hours_between_trades": 0.02
                    }
                }
            }
        }

        agent_id = await app.agent_manager.create_agent(agent_config)

        # Wait for trading activity
        # CHANGED: 0.01 hours are 36 seconds, and do not pass in 0.2.
        await app.agent_manager.trigger_trade(agent_id)

        # Verify trading occurred
        memories = await app.memory_store.get_memories(agent_id, limit=10)
        trading_memories = [m for m in memories if "trade" in m.content.lower()]
        assert len(trading_memories) > 0

        await app.shutdown()
