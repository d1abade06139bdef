"""The doors through which texts leave: a gate for each agent, asked by turns and outbox."""

from collections.abc import Collection
from typing import Final
from weakref import WeakKeyDictionary

from typing_extensions import override

from puppet_engine.agents.agent import Agent
from puppet_engine.core.errors import PolicyError
from puppet_engine.core.models import AgentConfig, Intent
from puppet_engine.outbox.policy import Policy
from puppet_engine.style.gate import Gate
from puppet_engine.style.repetition import Likeness

LOOKED_BACK: Final = 60
"""With how many of its own texts, and of the cast's, a new one is compared."""


class Doors:
    """The gates of all agents; each is made when its agent first has something to say."""

    def __init__(self, *, secrets: Collection[str] = (), likeness: Likeness | None = None) -> None:
        self._secrets = tuple(secrets)
        self._likeness = likeness
        self._gates: WeakKeyDictionary[Agent, tuple[AgentConfig, Gate]] = WeakKeyDictionary()

    def of(self, agent: Agent) -> Gate:
        """Return the gate of an agent."""
        made_for, gate = self._gates.get(agent, (None, None))
        if gate is None or made_for is not agent.config:
            gate = Gate(agent.config, secrets=self._secrets, likeness=self._likeness)
            self._gates[agent] = (agent.config, gate)
        return gate


class LastLook(Policy):
    """Lets nothing out that breaks a hard rule, wherever it comes from, after `rules` agree."""

    def __init__(self, rules: Policy, gate: Gate) -> None:
        self._rules = rules
        self._gate = gate

    @override
    def check(self, intent: Intent) -> None:
        self._rules.check(intent)
        if "text" not in intent.payload:  # a like says nothing
            return
        found = self._gate.must_stay(str(intent.payload["text"]))
        if found:
            listed = "; ".join(each.line() for each in found)
            raise PolicyError(f"{intent.agent_id!r} does not say such things: {listed}")
