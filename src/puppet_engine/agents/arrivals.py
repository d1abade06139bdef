"""How agents come to be here: one by one, as a multitude, and again after a restart."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from puppet_engine.agents.accounts import Accounts
from puppet_engine.agents.agent import Agent
from puppet_engine.agents.configs import read_config
from puppet_engine.agents.first_day import first_memories
from puppet_engine.agents.residents import Residents
from puppet_engine.agents.turns import Turns
from puppet_engine.core.errors import AgentExistsError, ConfigurationError
from puppet_engine.core.models import AgentConfig, EventDraft
from puppet_engine.storage.base import Arrival, Ledger
from timber.common.garbage import no_search

ENROLLED_TOGETHER: Final = 1_000
"""How many of many new agents share a transaction."""

REVIVED: Final = 100
"""How many guests are called in at the start; more wait in their rows until something is due."""


def share_of_one(name: str) -> float:
    """Return a number from 0 up to 1 that is the same for the same name, and else by chance."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48


class Arrivals:
    """Takes agents up: gives them their first day, and a place among the residents."""

    def __init__(
        self,
        *,
        residents: Residents,
        ledger: Ledger,
        accounts: Accounts,
        turns: Turns,
        seed: int,
    ) -> None:
        self._residents = residents
        self._ledger = ledger
        self._accounts = accounts
        self._turns = turns
        self._seed = seed
        self._under_way: list[Agent] = []

    async def one(self, config: AgentConfig | Mapping[str, Any]) -> Agent:
        """Take up an agent, new or known, with its account open.

        Raises:
            ConfigurationError: the configuration cannot be used.
            AgentExistsError: an agent of that id or handle is here already.

        """
        agent = Agent(read_config(config))
        self._require_free_in_memory(agent)
        self._under_way.append(agent)
        try:
            await self._take_up(agent)
        finally:
            self._under_way.remove(agent)
        return agent

    async def _take_up(self, agent: Agent) -> None:
        await self._accounts.open(agent)
        is_guest = self._residents.are_active
        arrival = Arrival(
            config=agent.config,
            handle=agent.handle,
            is_guest=is_guest,
            first_memories=first_memories(agent.config),
            first_events=self._turns.routine(agent, first=True),
            routine=self._turns.routine(agent, first=False),
        )
        # Another process may take it up at this moment, and give it its routine.
        # Its turns need no waiting for: each takes one of a routine away and brings the next.
        async with self._turns.lock(f"arrival of {agent.id}"):
            events = await self._ledger.enrol(arrival)
        self._residents.settle_in(agent, may_leave=is_guest)
        self._turns.welcome(agent, events)
        await self._residents.make_room()

    async def renew(self, agent: Agent, config: AgentConfig) -> None:
        """Give an agent a changed persona between two of its turns; all it waits for stays.

        Raises:
            ConfigurationError: the handle is another: an account cannot be changed in a life.

        """
        changed = Agent(config)
        if changed.handle != agent.handle:
            raise ConfigurationError(
                f"{agent.id!r} cannot become @{changed.handle} while it lives as @{agent.handle}: "
                "end the engine and start it again"
            )
        async with self._turns.lock(agent.id):
            agent.renew(config)
            arrival = Arrival(
                config=config,
                handle=agent.handle,
                is_guest=False,
                first_memories=[],
                first_events=[],
                routine=self._turns.routine(agent, first=False),
            )
            events = await self._ledger.enrol(arrival)
        self._turns.welcome(agent, events)

    async def many(
        self, configs: Iterable[AgentConfig | Mapping[str, Any]], *, over: timedelta
    ) -> int:
        """Take up new agents as rows, in groups, and return how many.

        Raises:
            ConfigurationError: one of the configurations, or the span, cannot be used.
            AgentExistsError: an agent of that id or handle is here already.

        """
        if over < timedelta(0):
            raise ConfigurationError(f"a multitude cannot begin over {over}: give a span ahead")
        remaining, created = iter(configs), 0
        while True:
            # Nothing of a group is garbage before its end: to look for it took half the time.
            with no_search():
                group = [read_config(one) for one in islice(remaining, ENROLLED_TOGETHER)]
                arrivals = [self._as_guest(Agent(persona), over) for persona in group]
                self._turns.accept(await self._ledger.enrol_new(arrivals))
            created += len(group)
            if len(group) < ENROLLED_TOGETHER:
                return created

    def _as_guest(self, agent: Agent, over: timedelta) -> Arrival:
        self._require_free_in_memory(agent)
        network = self._accounts.unopened(agent)
        routine = self._turns.routine(agent, first=True, network=network)
        return Arrival(
            config=agent.config,
            handle=agent.handle,
            is_guest=True,
            first_memories=first_memories(agent.config),
            first_events=self._spread(routine, agent.id, over) if over else routine,
        )

    def _spread(
        self, routine: Sequence[EventDraft], agent_id: str, over: timedelta
    ) -> list[EventDraft]:
        """Let an agent begin at its own moment of a span, so that not all do at once."""
        later = over * share_of_one(f"{self._seed}:{agent_id}:begins")
        return [draft.model_copy(update={"due_at": draft.due_at + later}) for draft in routine]

    def _require_free_in_memory(self, agent: Agent) -> None:
        namesakes = (
            self._residents.agents.get(agent.id),
            self._residents.with_handle(agent.handle),
        )
        for other in (*filter(None, namesakes), *self._under_way):
            if other.id == agent.id:
                raise AgentExistsError(agent.id)
            if other.handle.lower() == agent.handle.lower():
                # Two agents on one account would take each other's posts for their own.
                raise AgentExistsError(agent.id, handle=other.handle)

    async def revive(self) -> None:
        """Call in guests of earlier days, so that they are seen; not all of a multitude.

        Nothing is done for them: each has what it needs in its rows, and its account is opened
        at first use. The others come when something is due to them.
        """
        for agent_id in await self._ledger.guests(limit=REVIVED):
            async with self._residents.at_hand(agent_id):
                pass
