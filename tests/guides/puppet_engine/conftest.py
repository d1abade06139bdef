"""The fixtures that the guide prints, in one place."""

import json
import os
import shutil
import tempfile

import pytest
from unittest.mock import AsyncMock, MagicMock
from puppet_engine.core.settings import Settings
from puppet_engine.memory.base import MemoryStore
from puppet_engine.llm.base import LLMProvider

# CHANGED: no `event_loop` fixture; pytest-asyncio 1 makes the loop itself.

@pytest.fixture
def settings():
    """Provide test settings."""
    return Settings(
        database_url="sqlite:///:memory:",
        log_level="DEBUG",
        enable_metrics=False
    )

@pytest.fixture
def mock_memory_store():
    """Provide a mock memory store."""
    store = AsyncMock(spec=MemoryStore)
    store.add_memory.return_value = "mem_123"
    store.search_memories.return_value = []
    return store

@pytest.fixture
def mock_llm_provider():
    """Provide a mock LLM provider."""
    provider = AsyncMock(spec=LLMProvider)
    provider.generate_content.return_value = "Generated content"
    provider.generate_tweet.return_value = "Generated tweet"
    return provider

@pytest.fixture
def mock_twitter_client():
    """Provide a mock Twitter client."""
    client = AsyncMock()
    client.post_tweet.return_value = "tweet_123"
    client.get_mentions.return_value = []
    return client

@pytest.fixture
def mock_solana_trader():
    """Provide a mock Solana trader."""
    trader = AsyncMock()
    trader.execute_trade.return_value = {
        "trade_id": "trade_123",
        "status": "success"
    }
    return trader

@pytest.fixture
def sample_agent_config():
    """Provide a sample agent configuration."""
    return {
        "id": "test-agent",
        "name": "Test Agent",
        "description": "A test agent",
        "personality": {
            "traits": ["curious", "helpful"],
            "values": ["knowledge", "community"],
            "speaking_style": "Friendly and informative",
            "interests": ["technology", "AI"]
        },
        "style_guide": {
            "voice": "first_person",
            "tone": "casual",
            "formatting": {
                "uses_hashtags": True,
                "uses_emojis": True
            }
        },
        "behavior": {
            "post_frequency": {
                "min_hours_between_posts": 1,
                "max_hours_between_posts": 4
            },
            "interaction_patterns": {
                "reply_probability": 0.8,
                "like_probability": 0.7
            }
        }
    }

@pytest.fixture
def agent_manager(settings, mock_memory_store, mock_llm_provider):
    """Provide an agent manager with mocked dependencies."""
    from puppet_engine.agents.agent_manager import AgentManager

    config = {
        'memory_store': mock_memory_store,
        'default_llm_provider': mock_llm_provider,
        'event_engine': MagicMock()
    }

    return AgentManager(config)

@pytest.fixture
def test_data_dir():
    """Provide test data directory."""
    return os.path.join(os.path.dirname(__file__), "test_data")

@pytest.fixture
def sample_tweets(test_data_dir):
    """Load sample tweets for testing."""
    with open(os.path.join(test_data_dir, "sample_tweets.json")) as f:
        return json.load(f)

@pytest.fixture
def sample_memories(test_data_dir):
    """Load sample memories for testing."""
    with open(os.path.join(test_data_dir, "sample_memories.json")) as f:
        return json.load(f)

@pytest.fixture
def agent_configs(test_data_dir):
    """Load sample agent configurations."""
    with open(os.path.join(test_data_dir, "agent_configs.json")) as f:
        return json.load(f)

@pytest.fixture
def temp_database():
    """Provide temporary database for testing."""
    temp_dir = tempfile.mkdtemp()
    db_path = os.path.join(temp_dir, "test.db")

    yield db_path

    # Cleanup
    shutil.rmtree(temp_dir)

@pytest.fixture(autouse=True)
def cleanup_test_files():
    """Clean up test files after each test."""
    yield

    # Cleanup any test files
    test_files = [
        "test.db",
        "test.log",
        "coverage.xml"
    ]

    for file in test_files:
        if os.path.exists(file):
            os.remove(file)


# CHANGED: the tests open stores and close none; here they are closed when a test is over.
@pytest.fixture(autouse=True)
async def close_stores(monkeypatch):
    from puppet_engine.memory.sqlite_store import SQLiteStore

    opened = []
    initialize = SQLiteStore.initialize

    async def initialize_and_remember(store):
        opened.append(store)
        await initialize(store)

    monkeypatch.setattr(SQLiteStore, "initialize", initialize_and_remember)
    yield
    for store in opened:
        await store.close()
