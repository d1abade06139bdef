"""Account names on social networks."""

import hashlib
import re

from puppet_engine.core.models import AgentConfig

LONGEST_HANDLE = 15
"""What X allows; no network we meet allows less."""


def handle_of(config: AgentConfig) -> str:
    """Return the handle that a persona names, else one made from its id, without the @."""
    return config.handle or handle_from_id(config.id)


def handle_from_id(agent_id: str) -> str:
    """Return a handle that fits every network: 15 letters, digits and underscores at most.

    A long id is cut, and told apart from its like by a few digits of its digest.
    """
    handle = re.sub(r"[^A-Za-z0-9_]", "_", agent_id)
    if len(handle) <= LONGEST_HANDLE:
        return handle
    digest = hashlib.sha256(agent_id.encode()).hexdigest()[:4]
    return f"{handle[: LONGEST_HANDLE - 5].rstrip('_')}_{digest}"
