# CHANGED: the guide prints fixtures of sample data, but no test that uses them; these do.
from puppet_engine.core.models import AgentConfig, Memory, Post


def test_sample_tweets_are_posts(sample_tweets):
    assert [Post.model_validate(tweet).id for tweet in sample_tweets] == ["1001", "1002"]


def test_sample_memories_are_memories(sample_memories):
    assert all(Memory.model_validate(memory).content for memory in sample_memories)


def test_sample_agents_can_be_read(agent_configs):
    assert [AgentConfig.model_validate(config).id for config in agent_configs] == ["ada", "grace"]
