"""The nouns of the engine: what an agent remembers, what happens to it, what it wants done.

Those of who an agent is are in `personas`, and can be had from here, too.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, StringConstraints, field_validator

from puppet_engine.core.circumstances import moment
from puppet_engine.core.decisions import Decision
from puppet_engine.core.ids import AgentId, EventId, IntentId, MemoryId, PostId, ScheduleId
from puppet_engine.core.moods import MoodChange, MoodState
from puppet_engine.core.nouns import Hours, Identifier, Name, Noun, Probability, TimeZone
from puppet_engine.core.personas import (
    Acquaintance,
    AgentConfig,
    Behavior,
    InitialMemory,
    InteractionPatterns,
    Personality,
    PostFrequency,
    SolanaIntegration,
    TradingBehavior,
    TradingFrequency,
)
from puppet_engine.core.provenance import MemoryLink, Reason
from puppet_engine.core.relationships import Relationship
from puppet_engine.core.style_guides import Formatting, StyleGuide

__all__ = [
    "Acquaintance",
    "AgentConfig",
    "Behavior",
    "Effect",
    "Event",
    "EventDraft",
    "EventTemplate",
    "EventType",
    "Formatting",
    "Hours",
    "Identifier",
    "InitialMemory",
    "Intent",
    "IntentDraft",
    "IntentKind",
    "IntentState",
    "InteractionPatterns",
    "Memory",
    "MemoryType",
    "Name",
    "Noun",
    "Personality",
    "Post",
    "PostFrequency",
    "Priority",
    "Probability",
    "Quarantined",
    "SolanaIntegration",
    "StoredMemory",
    "StyleGuide",
    "TimeZone",
    "TradingBehavior",
    "TradingFrequency",
    "TurnOutcome",
]

# ------------------------------------------------------------------ what it remembers


class MemoryType(StrEnum):
    """What kind of thing a memory holds."""

    CORE = "core"
    RECENT = "recent"
    RELATIONSHIP = "relationship"
    EVENT = "event"
    INTERACTION = "interaction"
    GENERAL = "general"


class Memory(Noun):
    """Something worth remembering, before anybody remembers it."""

    content: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    type: MemoryType = MemoryType.GENERAL
    importance: Annotated[float, Field(ge=0, le=1)] = 0.5
    metadata: dict[str, Any] = Field(default_factory=dict)
    """`conversation_id`, `speaker` and `occurred_at` (ISO 8601) say of something that was said
    where, by whom, and when; anything else may stand beside them."""
    links: tuple[MemoryLink, ...] = Field(default=(), exclude=True, repr=False)
    """What it has to do with memories that are there already; not read back with it."""

    @field_validator("metadata")
    @classmethod
    def _has_a_moment(cls, value: dict[str, Any]) -> dict[str, Any]:
        moment(value.get("occurred_at"))
        return value


class Quarantined(Noun):
    """What an agent was told, and is kept apart from what it remembers."""

    memory: Memory
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]


class StoredMemory(Memory):
    """A memory that an agent has."""

    id: MemoryId
    agent_id: AgentId
    created_at: AwareDatetime


# ------------------------------------------------------------------ what happens to it


EventType = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]


class Priority(IntEnum):
    """How urgent an event is among those that are due; the smaller comes first."""

    URGENT = 0
    """Somebody waits for it."""
    HIGH = 1
    NORMAL = 2
    LOW = 3
    """It may wait; never for ever."""


class EventTemplate(Noun):
    """What is to happen, whenever that will be."""

    type: EventType
    agent_id: str | None = None
    """Whom it happens to; `None` for what happens to nobody in particular."""
    payload: dict[str, Any] = Field(default_factory=dict)
    priority: Priority = Priority.NORMAL


class EventDraft(EventTemplate):
    """Something that is to happen, before it has an identity."""

    due_at: AwareDatetime


class Event(EventDraft):
    """Something that happens, at a moment, mostly to one agent.

    Those of one agent and one priority are taken in the order of (`due_at`, `sequence`).
    """

    id: EventId
    sequence: int
    failures: Annotated[int, Field(ge=0)] = 0
    """How often it was tried in vain."""
    schedule_id: ScheduleId | None = None
    """The schedule that it is an occurrence of."""


class Post(Noun):
    """What somebody said on a social network."""

    id: PostId
    author_id: str
    author_handle: str
    text: str
    created_at: AwareDatetime
    conversation_id: PostId
    in_reply_to: PostId | None = None


class IntentKind(StrEnum):
    """What an agent can want done outside."""

    POST = "post"
    REPLY = "reply"
    LIKE = "like"
    QUOTE = "quote"
    REPOST = "repost"
    TRADE = "trade"


FOLLOWS: Final = "follows"
"""The key of a payload that names the intent before it in a thread, by its id."""


class IntentState(StrEnum):
    """How far an intent has come."""

    PENDING = "pending"
    SENDING = "sending"
    """Begun, with an outcome that is unknown until it is looked up."""
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Not begun in time, and no longer worth doing."""


class IntentDraft(Noun):
    """One thing an agent wants done outside, before it has an identity."""

    kind: IntentKind
    payload: dict[str, Any]
    account: str = ""
    """The account or wallet it goes out through, `x:ada`; one at a time each, in their order."""
    expires_at: AwareDatetime | None = None
    """When it is too late to begin; None when it never is."""
    goes_on: bool = False
    """Whether it is the next post of a thread, after the draft before it in the same turn.

    What keeps it gives its payload the id of that one, under `FOLLOWS`."""


class Intent(IntentDraft):
    """One thing an agent wants done outside; in the outbox until it is done or dropped."""

    id: IntentId
    agent_id: AgentId
    created_at: AwareDatetime
    state: IntentState = IntentState.PENDING
    attempts: Annotated[int, Field(ge=0)] = 0
    """How often it was begun."""
    failures: Annotated[int, Field(ge=0)] = 0
    """How often an attempt, or the look at what became of it, failed."""
    begun_at: AwareDatetime | None = None
    """When it was begun last."""
    not_before: AwareDatetime | None = None
    """Until when it waits, after an attempt that failed."""
    error: str = ""
    """Why it waits."""
    cost: Annotated[int, Field(ge=0)] = 0
    """What the network takes for it, in micro-dollars; known once it was begun."""
    journal: dict[str, Any] = Field(default_factory=dict)
    """What was noted before the last attempt, to look the outcome up by."""
    result: str = ""
    """The id the network or chain gave it; why it was refused."""

    @property
    def follows(self) -> str | None:
        """The id of the intent under whose post this one goes on; None when it stands alone."""
        found = self.payload.get(FOLLOWS)
        return None if found is None else str(found)


class TurnOutcome(Noun):
    """All that one turn of an agent changes; it becomes fact in one transaction, or not at all."""

    memories: tuple[Memory, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    """What it was told, and does not remember."""
    recalled: tuple[MemoryId, ...] = ()
    """What came to its mind."""
    forgotten: tuple[MemoryId, ...] = ()
    """What it lets go."""
    events: tuple[EventDraft, ...] = ()
    """What is to happen next: timers, and what the agent has just noticed."""
    intents: tuple[IntentDraft, ...] = ()
    cursor: PostId | None = None
    """The newest mention the agent has seen, when it looked."""
    answers_to: str = ""
    """The occasion on which language models were asked; what they answered is needed no more."""
    mood: MoodState | None = None
    """What the agent feels from now on; None when nothing has moved it."""
    mood_changes: tuple[MoodChange, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    """Those that have changed."""
    decision: Decision | None = None
    """Why the agent acted, or did not."""


class Effect(Noun):
    """What an intent has brought about."""

    result: str
    """The id that the network or the chain gave it."""
    memory: Memory
    events: tuple[EventDraft, ...]
    """Tell those who watch."""
