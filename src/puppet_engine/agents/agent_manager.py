"""Keeps the agents: takes them up, gives each its turns, starts and stops them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final, TypedDict

from puppet_engine.agents.accounts import Accounts, OpenAccount, OpenWallet
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.arrivals import Arrivals
from puppet_engine.agents.configs import read_config
from puppet_engine.agents.direct_ledger import DirectLedger
from puppet_engine.agents.doors import Doors
from puppet_engine.agents.outgoing import Outgoing
from puppet_engine.agents.posting import Posting
from puppet_engine.agents.residents import Residents
from puppet_engine.agents.trading import Trading
from puppet_engine.agents.turns import Turns
from puppet_engine.core.agent_locks import AgentLocks, LocalAgentLocks
from puppet_engine.core.clock import Clock, SystemClock, VirtualClock
from puppet_engine.core.errors import AgentNotFoundError, ConfigurationError
from puppet_engine.core.ids import IdFactory, random_id
from puppet_engine.core.models import AgentConfig, Memory, MemoryType, StoredMemory
from puppet_engine.events.engine import EventEngine
from puppet_engine.llm.base import LLMProvider
from puppet_engine.memory.base import MemoryStore
from puppet_engine.networks.base import SocialNetwork
from puppet_engine.networks.x import XNetwork
from puppet_engine.outbox.budget import Budget
from puppet_engine.outbox.dispatcher import Outbox
from puppet_engine.storage.answers import AnswerJournal
from puppet_engine.storage.base import Ledger
from puppet_engine.style.repetition import Likeness

SHOWN: Final = 20
"""How many ids an error names."""


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
    """One holder per agent and account; needed when several processes share the agents."""
    ids: IdFactory
    seed: int
    open_account: OpenAccount
    """Opens an agent's account on a network when it is created."""
    account_network: type[SocialNetwork]
    """The network on which `open_account` opens them; X when left out."""
    open_wallet: OpenWallet
    """Opens an agent's wallet when it is created with trading enabled."""
    mention_poll_minutes: float
    resident_agents: int
    """How many agents without a file are in memory at the most; 10,000 when left out."""
    budget: Budget
    """What each agent may do and spend on a network in a day; without it there is no limit."""
    answers: AnswerJournal
    """Keeps what language models answered until the turn is fact."""
    secrets: Collection[str]
    """What no text may hold: the engine's own keys."""
    likeness: Likeness | None
    """How much two texts mean the same; without it repetition is known by the words alone."""
    in_step: bool
    """Whether a turn waits for its effects: slower, but the same life from the same seed.

    Under a virtual clock it does, unless it is told otherwise.
    With several processes it must: what one has in the background ends with it, unnoticed.
    """


class AgentManager:
    """The agents of one engine."""

    def __init__(self, config: AgentManagerConfig) -> None:
        self.memory_store = config["memory_store"]
        self._residents = Residents(
            limit=config.get("resident_agents", 10_000), find=self._find, leave=self._leave
        )
        clock = config.get("clock") or SystemClock()
        ids = config.get("ids", random_id)
        self._ledger = config.get("storage") or DirectLedger(
            memory=self.memory_store,
            clock=clock,
            ids=ids,
            settle=config["event_engine"].settle,
        )
        self._accounts = Accounts(
            open_account=config.get("open_account"),
            network=config.get("account_network", XNetwork),
            open_wallet=config.get("open_wallet"),
        )
        self._twitter_client: Any = None
        doors = Doors(secrets=config.get("secrets", ()), likeness=config.get("likeness"))
        locks = config.get("locks") or LocalAgentLocks()
        self._outgoing = Outgoing(
            at_hand=self._residents.at_hand,
            accounts=self._accounts,
            doors=doors,
            locks=locks,
            ledger=self._ledger,
            clock=clock,
            accept=config["event_engine"].accept,
            seed=config.get("seed", 0),
            budget=config.get("budget") or Budget(),
            in_step=config.get("in_step", isinstance(clock, VirtualClock)),
        )
        self._turns = Turns(
            at_hand=self._residents.at_hand,
            memory=self.memory_store,
            llm=config["default_llm_provider"],
            ledger=self._ledger,
            accounts=self._accounts,
            doors=doors,
            outgoing=self._outgoing,
            answers=config.get("answers"),
            clock=clock,
            engine=config["event_engine"],
            locks=locks,
            seed=config.get("seed", 0),
            mention_poll_minutes=config.get("mention_poll_minutes", 10),
        )
        self._arrivals = Arrivals(
            residents=self._residents,
            ledger=self._ledger,
            accounts=self._accounts,
            turns=self._turns,
            seed=config.get("seed", 0),
        )

    @property
    def agents(self) -> dict[str, Agent]:
        """The agents in memory, by id: all that have a file, and of the others the busy ones."""
        return self._residents.agents

    # -------------------------------------------------------------- networks

    @property
    def twitter_client(self) -> Any:
        """The X client of agents that have no account of their own."""
        return self._twitter_client

    @twitter_client.setter
    def twitter_client(self, client: Any) -> None:
        self._twitter_client = client
        self._accounts.default_network = XNetwork(client)

    # -------------------------------------------------------------- the cast

    async def create_agent(self, config: AgentConfig | Mapping[str, Any]) -> str:
        """Take up an agent and return its id.

        An agent that the storage knows already goes on where it stopped,
        with the configuration given now.

        Raises:
            ConfigurationError: the configuration cannot be used.
            AgentExistsError: an agent of that id or handle is here already.

        """
        agent = await self._arrivals.one(config)
        if agent.is_active:
            await self._outgoing.resume(agent.id)
        return agent.id

    async def create_agents(
        self,
        configs: Iterable[AgentConfig | Mapping[str, Any]],
        *,
        over: timedelta = timedelta(0),
    ) -> int:
        """Take up any number of new agents as guests, and return how many.

        They are rows until something is due to them, and their accounts are opened at first use.
        They are kept in groups; when one cannot be, those before it have been.
        Each begins within minutes, as one that comes alone, or at its own moment `over` a span.

        Raises:
            ConfigurationError: one of the configurations, or the span, cannot be used.
            AgentExistsError: an agent of that id or handle is here already.

        """
        return await self._arrivals.many(configs, over=over)

    async def renew_agent(self, config: AgentConfig | Mapping[str, Any]) -> bool:
        """Give an agent a changed persona while it lives; False when nothing differs.

        It takes effect between two turns, and nothing that waits for the agent is lost.

        Raises:
            ConfigurationError: the configuration cannot be used, or changes the handle.
            AgentNotFoundError: no agent of that id is in memory.

        """
        persona = read_config(config)
        agent = self.get_agent(persona.id)
        if agent.config == persona:
            return False
        await self._arrivals.renew(agent, persona)
        return True

    async def revive_guests(self) -> None:
        """Call in agents that were created while others lived, in this process or before.

        Not all of a multitude: the others come when something is due to them.
        """
        await self._arrivals.revive()

    def get_agent(self, agent_id: str) -> Agent:
        """Return an agent that is in memory.

        Raises:
            AgentNotFoundError: there is none of that id.

        """
        try:
            return self.agents[agent_id]
        except KeyError:
            raise AgentNotFoundError(agent_id, known=self._known()) from None

    async def find_agent(self, agent_id: str) -> Agent:
        """Return an agent, in memory or as its rows have it. Raises `AgentNotFoundError`."""
        async with self._residents.at_hand(agent_id) as agent:
            return self._required(agent, agent_id)

    def _required(self, agent: Agent | None, agent_id: str) -> Agent:
        if agent is None:
            raise AgentNotFoundError(agent_id, known=self._known())
        return agent

    def _known(self) -> Sequence[str]:
        # An error message is no place for a multitude.
        return [*islice(self.agents, SHOWN), *["…"][: len(self.agents) > SHOWN]]

    # -------------------------------------------------------------- coming and going

    async def _find(self, agent_id: str) -> Agent | None:
        config = await self._ledger.guest(agent_id)
        if config is None:
            return None
        agent = Agent(config)
        await self._accounts.expect(agent)
        return agent

    async def _leave(self, agent: Agent) -> None:
        await self._accounts.part_from(agent.id)

    async def start_agents(self) -> None:
        """Make all agents active, and finish what an earlier process left half done."""
        self._residents.activate()
        await self._outgoing.resume()

    async def stop_agents(self) -> None:
        """Let the turns under way end, and make all agents inactive."""
        self._residents.are_active = False
        for agent in list(self.agents.values()):
            async with self._turns.lock_here(agent.id):
                agent.is_active = False
        await self._outgoing.outbox.drain()

    async def close(self) -> None:
        """Let what is under way end, and close the agents' accounts and wallets."""
        await self._outgoing.outbox.drain()
        await self._accounts.close()

    @property
    def outbox(self) -> Outbox:
        """What the agents want done outside, on its way out."""
        return self._outgoing.outbox

    # -------------------------------------------------------------- doing things now

    async def trigger_post(self, agent_id: str, context: Mapping[str, Any] | None = None) -> str:
        """Let an agent post now; `context` may name a `topic`. Return the post's id.

        The post is public, and the agent's memory of it committed, when this returns.

        Raises:
            AgentNotFoundError: there is no such agent.
            LLMError: no text came about; nothing was published. `HeldBackError` when there were
                some, of which none may leave.
            NetworkRefusedError: the network said no; nothing was published.
            NetworkUnavailableError: no answer; the outcome is looked up until it is known.
                Also while that is so of an earlier post: then nothing new was written.
            RateLimitedError, CircuitOpenError: not now; it goes out when its moment has come.
            OutboxError: a rule, the budget or its age forbids it; nothing was published.
            MissingCredentialError: the agent has no account.

        """
        return await self._take_now(agent_id, Posting.event_type, context)

    async def trigger_trade(self, agent_id: str) -> str:
        """Let an agent trade now, within its limits. Return the transaction's signature.

        The trade is final, and the agent's memory of it committed, when this returns.

        Raises:
            AgentNotFoundError: there is no such agent.
            NothingToDoError: the market offers nothing within the limits.
            TradeError: the trade was not made, and why.
            ChainUnavailableError: no answer; the outcome is looked up until it is known.

        """
        return await self._take_now(agent_id, Trading.event_type, None)

    async def _take_now(
        self, agent_id: str, event_type: str, context: Mapping[str, Any] | None
    ) -> str:
        async with self._residents.at_hand(agent_id) as agent:
            found = self._required(agent, agent_id)
            return await self._turns.take_now(found, event_type, context)

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
        agent = await self.find_agent(agent_id)
        try:
            memory = Memory(content=content, type=MemoryType(type), metadata=dict(metadata or {}))
        except ValueError as error:
            raise ConfigurationError(f"no memory can be made of this: {error}") from error
        return await self.memory_store.add_memory(agent.id, memory)

    async def get_memories(self, agent_id: str, *, limit: int = 50) -> list[StoredMemory]:
        """Return an agent's memories, newest first. Raises `AgentNotFoundError`."""
        agent = await self.find_agent(agent_id)
        return await self.memory_store.get_memories(agent.id, limit=limit)
