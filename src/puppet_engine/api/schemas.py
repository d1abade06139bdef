"""What goes over the wire. Every answer is an envelope: `{"status", "data" | "error"}`."""

from dataclasses import asdict
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from puppet_engine.api.dependencies import AgentView
from puppet_engine.core.breaker import BreakerReading
from puppet_engine.core.decisions import StoredDecision
from puppet_engine.core.facts import Fact
from puppet_engine.core.history import EventRecord
from puppet_engine.core.models import (
    Event,
    Intent,
    IntentKind,
    IntentState,
    Memory,
    MemoryType,
    StoredMemory,
)
from puppet_engine.core.relationships import Relationship
from puppet_engine.core.schedules import Schedule
from puppet_engine.storage.quarantine import HeldMemory

Data = TypeVar("Data")

FASTEST: Final = 604_800
"""The greatest factor a clock can be set to from outside: a week in a second."""

Factor = Annotated[float, Field(gt=0, le=FASTEST)]
Limit = Annotated[int, Field(ge=1, le=500)]
SequenceNumber = Annotated[int, Field(ge=0)]
MemoryContent = Memory.model_fields["content"]


class Schema(BaseModel):
    """A body that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Success(Schema, Generic[Data]):
    """The envelope of what went well."""

    status: Literal["success"] = "success"
    data: Data


class Problem(Schema):
    """What went wrong: the name of the error, and what it says."""

    type: str
    message: str
    details: list[dict[str, Any]] | None = None
    """Where in the request, one entry for each thing that is wrong."""


class Failure(Schema):
    """The envelope of what went wrong."""

    status: Literal["error"] = "error"
    error: Problem


class Health(Schema):
    """That the server answers."""

    status: Literal["healthy"] = "healthy"


class AgentOut(Schema):
    """An agent without its secrets: of its wallet only the address, of its keys nothing."""

    id: str
    name: str
    handle: str
    is_active: bool
    description: str
    traits: list[str]
    interests: list[str]
    trading_enabled: bool
    wallet_address: str

    @classmethod
    def of(cls, agent: AgentView) -> Self:
        config = agent.config
        return cls(
            id=agent.id,
            name=agent.name,
            handle=agent.handle,
            is_active=agent.is_active,
            description=config.description,
            traits=config.personality.traits,
            interests=config.personality.interests,
            trading_enabled=config.solana_integration.trading_enabled,
            wallet_address=config.solana_integration.wallet_address,
        )


class AgentList(Schema):
    """All agents, by id."""

    agents: list[AgentOut]


class AgentCreated(Schema):
    """The id of a new agent."""

    agent_id: str


class PostRequest(Schema):
    """What a post is to be about; the agent chooses where nothing is said."""

    context: dict[str, Any] = {}


class PostCreated(Schema):
    """The id of a new post."""

    post_id: str


class MemoryIn(Schema):
    """Something an agent is to remember."""

    content: Annotated[str, MemoryContent]
    type: MemoryType = MemoryType.GENERAL


class MemoryOut(Schema):
    """Something an agent remembers."""

    id: str
    agent_id: str
    type: MemoryType
    content: str
    importance: float
    metadata: dict[str, Any]
    created_at: AwareDatetime

    @classmethod
    def of(cls, memory: StoredMemory) -> Self:
        return cls.model_validate(memory.model_dump())


class MemoryList(Schema):
    """What an agent remembers."""

    memories: list[MemoryOut]


class MemoryCreated(Schema):
    """The id of a new memory."""

    memory_id: str


class EventList(Schema):
    """What happened last, oldest first."""

    events: list[Event]


class RecordList(Schema):
    """Events, and what has become of them."""

    records: list[EventRecord]


class EventReplayed(Schema):
    """The event that a dead letter has become."""

    event: Event


class ScheduleList(Schema):
    """What happens again and again."""

    schedules: list[Schedule]


class Cancelled(Schema):
    """The id of what does not happen any more."""

    cancelled: str


class IntentOut(Schema):
    """Something on its way out."""

    id: str
    agent_id: str
    account: str
    kind: IntentKind
    state: IntentState
    """`sending` when its outcome is unknown."""
    attempts: int
    failures: int
    error: str
    """Why it waits."""
    created_at: AwareDatetime
    not_before: AwareDatetime | None
    expires_at: AwareDatetime | None

    @classmethod
    def of(cls, intent: Intent) -> Self:
        return cls.model_validate(intent.model_dump(include=set(cls.model_fields)))


class OutboxState(Schema):
    """What is on its way out, oldest first, and how the networks do."""

    intents: list[IntentOut]
    networks: list[BreakerReading]


class DecisionPage(Schema):
    """Why an agent did what it did, newest first."""

    decisions: list[StoredDecision]


class DecisionOut(Schema):
    """Why an agent did something, or nothing."""

    decision: StoredDecision


class RelationshipPage(Schema):
    """How an agent stands with others, by their handles."""

    relationships: list[Relationship]


class FactOut(Schema):
    """Something an agent knows of somebody, in a span of time, as known in another."""

    id: str
    subject: str
    attribute: str
    value: str
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None
    """Null: it is so still."""
    known_from: AwareDatetime
    known_to: AwareDatetime | None
    """Null: it is known still."""
    evidence: list[str]
    """The ids of the memories that say so."""

    @classmethod
    def of(cls, fact: Fact) -> Self:
        return cls.model_validate({**asdict(fact), "evidence": list(fact.evidence)})


class FactList(Schema):
    """What an agent knows, in the order in which it came to know."""

    facts: list[FactOut]


class QuarantineList(Schema):
    """What an agent was told and does not remember, newest first."""

    quarantine: list[HeldMemory]


class ClockState(Schema):
    """The time of the agents. The factor is null when their clock is the machine's own."""

    now: AwareDatetime
    factor: Annotated[float, Field(allow_inf_nan=True)] | None

    model_config = ConfigDict(ser_json_inf_nan="strings")


class ClockIn(Schema):
    """How fast the agents' time is to pass: virtual seconds per real second."""

    factor: Factor
