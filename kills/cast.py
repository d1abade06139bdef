"""Who lives in a life that is killed: agents who talk to each other without a pause."""

from typing import Any


def personas(size: int) -> list[dict[str, Any]]:
    """Return agents who post every few minutes of their time, mostly to their neighbour."""
    return [
        {
            "id": f"agent-{number}",
            "name": f"Agent {number}",
            "personality": {"interests": ["tea", "rain", "chess", "bread", "trains"]},
            "behavior": {
                "post_frequency": {
                    "min_hours_between_posts": 0.03,
                    "max_hours_between_posts": 0.1,
                },
                "interaction_patterns": {"reply_probability": 1, "mention_probability": 0.5},
            },
            "initial_memory": {
                "core_memories": [f"I am number {number}"],
                "relationships": [{"handle": f"agent_{(number + 1) % size}"}],
            },
        }
        for number in range(size)
    ]
