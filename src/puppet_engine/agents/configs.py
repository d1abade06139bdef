"""Reads the configuration of an agent, as people and programs hand it in."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import AgentConfig


def read_config(config: AgentConfig | Mapping[str, Any]) -> AgentConfig:
    """Return the configuration of an agent.

    Raises:
        ConfigurationError: it is none; says what is wrong with it.

    """
    if isinstance(config, AgentConfig):
        return config
    try:
        return AgentConfig.model_validate(config)
    except ValidationError as error:
        # Without the inputs: one of them may be a private key.
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the agent'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"this is no agent: {problems}") from None
