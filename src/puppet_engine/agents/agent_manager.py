"""Keeps the agents: takes them up, gives each its turns, starts and stops them."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypedDict

from pydantic import ValidationError

from puppet_engine.agents.agent import Agent
from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.agents.first_day import first_memories
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.trading import Trading
from puppet_engine.agents.turns import Turns
from puppet_engine.core.agent_locks import AgentLocks, LocalAgentLocks
from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import AgentExistsError, AgentNotFoundError, ConfigurationError
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.core.models import AgentConfig, Memory, MemoryType, StoredMemory
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import LLMProvider
from puppet_engine.memory.base import MemoryStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.x import XNetwork
from puppet_engine.solana.trader import Trader
from puppet_engine.storage.base import Arrival, Ledger

log = logging.getLogger(__name__)

OpenAccount = Callable[[Agent], Awaitable[SocialNetwork]]
OpenWallet = Callable[[Agent], Awaitable[Trader]]


class _Required(TypedDict):
    memory_store: MemoryStore
    default_llm_provider: LLMProvider
    event_engine: EventEngine


class AgentManagerConfig(_Required, total=False):
    """What an `AgentManager` is built from."""

    storage: Ledger
    """Makes agents durable; without it they act directly and forget their timers at the end."""
    clock: Clock
    locks: AgentLocks
    """One holder per agent; needed when several processes let the same agents live."""
    ids: IdFactory
    seed: int
    open_account: OpenAccount
    """Opens an agent's account on a network when it is created."""
    open_wallet: OpenWallet
    """Opens an agent's wallet when it is created with trading enabled."""
    mention_poll_minutes: float


class AgentManager:
    """The agents of one engine."""

    def __init__(self, config: AgentManagerConfig) -> None:
        self.memory_store = config["memory_store"]
        self.agents: dict[str, Agent] = {}
        clock = config.get("clock") or SystemClock()
        ids = config.get("ids", random_id)
        self._clock = clock
        self._ledger = config.get("storage") or DirectLedger(
            memory=self.memory_store,
            clock=clock,
            ids=ids,
            settle=config["event_engine"].settle,
        )
        self._open_account = config.get("open_account")
        self._open_wallet = config.get("open_wallet")
        self._is_started = False
        self._being_created: list[Agent] = []
        self._twitter_client: Any = None
        self._turns = Turns(
            agents=self.agents,
            memory=self.memory_store,
            llm=config["default_llm_provider"],
            ledger=self._ledger,
            clock=clock,
            engine=config["event_engine"],
            locks=config.get("locks") or LocalAgentLocks(),
            seed=config.get("seed", 0),
            mention_poll_minutes=config.get("mention_poll_minutes", 10),
        )

    # -------------------------------------------------------------- networks

    @property
    def twitter_client(self) -> Any:
        """The X client of agents that have no account of their own."""
        return self._twitter_client

    @twitter_client.setter
    def twitter_client(self, client: Any) -> None:
        self._twitter_client = client
        self._turns.default_network = XNetwork(client)

    # -------------------------------------------------------------- the cast

    async def create_agent(self, config: AgentConfig | Mapping[str, Any]) -> str:
        """Take up an agent and return its id.

        An agent that the storage knows already goes on where it stopped,
        with the configuration given now.

        Raises:
            ConfigurationError: the configuration cannot be used.
            AgentExistsError: an agent of that id or handle is here already.

        """
        persona = _read(config)
        agent = Agent(persona)
        self._require_free(agent)
        self._being_created.append(agent)
        try:
            await self._take_up(agent)
        finally:
            self._being_created.remove(agent)
        return persona.id

    def _require_free(self, agent: Agent) -> None:
        for other in (*self.agents.values(), *self._being_created):
            if other.id == agent.id:
                raise AgentExistsError(agent.id)
            if other.handle.lower() == agent.handle.lower():
                # Two agents on one account would take each other's posts for their own.
                raise AgentExistsError(agent.id, handle=other.handle)

    async def _take_up(self, agent: Agent) -> None:
        if self._open_account is not None:
            self._turns.networks[agent.id] = await self._open_account(agent)
        if self._open_wallet is not None and agent.config.solana_integration.trading_enabled:
            self._turns.traders[agent.id] = await self._open_wallet(agent)
        arrival = Arrival(
            config=agent.config,
            is_guest=self._is_started,
            first_memories=first_memories(agent.config),
            first_events=self._turns.routine(agent, first=True),
            routine=self._turns.routine(agent, first=False),
        )
        # Another process may take it up at this moment, and give it its routine.
        async with self._turns.lock(agent.id):
            events = await self._ledger.enrol(arrival)
        self.agents[agent.id] = agent
        agent.is_active = self._is_started
        self._turns.welcome(agent, events)

    async def revive_guests(self) -> None:
        """Take up the agents that were created while others lived, in this process or before."""
        for config in await self._ledger.guests():
            if config.id not in self.agents:
                await self.create_agent(config)

    def get_agent(self, agent_id: str) -> Agent:
        """Return an agent.

        Raises:
            AgentNotFoundError: there is none of that id.

        """
        try:
            return self.agents[agent_id]
        except KeyError:
            raise AgentNotFoundError(agent_id, known=self.agents) from None

    async def start_agents(self) -> None:
        """Make all agents active, and finish what an earlier process left half done."""
        self._is_started = True
        for agent in self.agents.values():
            agent.is_active = True
            await self._turns.clear_outbox(agent)

    async def stop_agents(self) -> None:
        """Let the turns under way end, and make all agents inactive."""
        self._is_started = False
        for agent in self.agents.values():
            async with self._turns.lock(agent.id):
                agent.is_active = False

    async def close(self) -> None:
        """Close the agents' accounts and wallets."""
        await self._turns.close()

    # -------------------------------------------------------------- doing things now

    async def trigger_post(self, agent_id: str, context: Mapping[str, Any] | None = None) -> str:
        """Let an agent post now; `context` may name a `topic`. Return the post's id.

        The post is public, and the agent's memory of it committed, when this returns.

        Raises:
            AgentNotFoundError: there is no such agent.
            LLMError: no text came about; nothing was published.
            NetworkRefusedError: the network said no; nothing was published.
            NetworkUnavailableError: no answer; the outcome is looked up until it is known.
                Also while that is so of an earlier post: then nothing new was written.
            MissingCredentialError: the agent has no account.

        """
        return await self._turns.take_now(self.get_agent(agent_id), Posting.event_type, context)

    async def trigger_trade(self, agent_id: str) -> str:
        """Let an agent trade now, within its limits. Return the transaction's signature.

        The trade is final, and the agent's memory of it committed, when this returns.

        Raises:
            AgentNotFoundError: there is no such agent.
            NothingToDoError: the market offers nothing within the limits.
            TradeError: the trade was not made, and why.
            ChainUnavailableError: no answer; the outcome is looked up until it is known.

        """
        return await self._turns.take_now(self.get_agent(agent_id), Trading.event_type, None)

    # -------------------------------------------------------------- memories

    async def add_memory(
        self,
        agent_id: str,
        content: str,
        type: str = MemoryType.GENERAL,  # noqa: A002 - the guide's word
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Give an agent a memory, and return its id.

        Raises:
            AgentNotFoundError: there is no such agent.
            ConfigurationError: no memory can be made of this.

        """
        agent = self.get_agent(agent_id)
        try:
            memory = Memory(content=content, type=MemoryType(type), metadata=dict(metadata or {}))
        except ValueError as error:
            raise ConfigurationError(f"no memory can be made of this: {error}") from error
        return await self.memory_store.add_memory(agent.id, memory)

    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        """Return an agent's memories, newest first. Raises `AgentNotFoundError`."""
        return await self.memory_store.get_memories(self.get_agent(agent_id).id, limit=limit)


def _read(config: AgentConfig | Mapping[str, Any]) -> AgentConfig:
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
