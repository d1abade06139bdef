"""The nouns of the engine: who an agent is, what it remembers, what happens to it."""

from difflib import get_close_matches
from enum import IntEnum, StrEnum
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from puppet_engine.core.circumstances import moment
from puppet_engine.core.ids import AgentId, EventId, IntentId, MemoryId, PostId, ScheduleId

# Names are shown everywhere: no control characters, no marks that turn the direction of writing.
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+$",
    ),
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Probability = Annotated[float, Field(ge=0, le=1)]
Hours = Annotated[float, Field(ge=1 / 3600, le=24 * 365)]
"""A span of one second to one year; between shorter ones virtual time would not pass."""
HourOfDay = Annotated[int, Field(ge=0, le=23)]


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of the IANA time zone database: read once, for a look takes 7 ms."""
    return frozenset(available_timezones())


def _known_time_zone(name: str) -> str:
    known = _time_zones()
    if name in known:
        return name
    near = get_close_matches(name, sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "; give one like 'Europe/Vienna'"
    raise ValueError(f"unknown time zone {name!r}{hint}")


def _without_at(handle: str) -> str:
    return handle.removeprefix("@")


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
"""A name of the IANA time zone database."""


class Noun(BaseModel):
    """A frozen value that refuses fields it does not know.

    Lists are made by a factory: a default one would be copied deeply for each value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


# ------------------------------------------------------------------ who an agent is


class Personality(Noun):
    """What somebody is like."""

    traits: list[str] = Field(default_factory=list)
    values: list[str] = Field(default_factory=list)
    speaking_style: str = ""
    interests: list[str] = Field(default_factory=list)
    background: str = ""
    quirks: list[str] = Field(default_factory=list)
    opinions: list[str] = Field(default_factory=list)
    """What somebody holds to be true, each as they would say it."""
    surroundings: list[str] = Field(default_factory=list)
    """What is around somebody and gets mentioned, one thing each, as in `the kettle`."""


class Formatting(Noun):
    """How somebody's posts look on the page."""

    uses_hashtags: bool = False
    uses_emojis: bool = False
    hashtags: list[str] = Field(default_factory=list)
    """Those somebody likes best, without the #; free to choose when empty."""
    emojis: list[str] = Field(default_factory=list)
    """Those somebody likes best; free to choose when empty."""
    lowercase: bool = False
    min_characters: Annotated[int, Field(ge=1, le=280)] = 20
    max_characters: Annotated[int, Field(ge=1, le=280)] = 240

    @model_validator(mode="after")
    def _length_leaves_room(self) -> Self:
        if self.min_characters > self.max_characters:
            raise ValueError("min_characters is greater than max_characters")
        return self


class StyleGuide(Noun):
    """How somebody writes."""

    voice: str = "first_person"
    tone: str = ""
    formatting: Formatting = Field(default_factory=Formatting)
    catchphrases: list[str] = Field(default_factory=list)
    example_posts: list[str] = Field(default_factory=list)
    """Posts that sound exactly right, for a model to learn the voice from."""
    topics_to_avoid: list[str] = Field(default_factory=list)


class PostFrequency(Noun):
    """How long somebody is silent between two posts, in hours."""

    min_hours_between_posts: Hours = 2
    max_hours_between_posts: Hours = 6

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min_hours_between_posts > self.max_hours_between_posts:
            raise ValueError("min_hours_between_posts is greater than max_hours_between_posts")
        return self


class InteractionPatterns(Noun):
    """How readily somebody answers others."""

    reply_probability: Probability = 0.7
    like_probability: Probability = 0.3
    mention_probability: Probability = 0.3
    """How often a post is addressed to an acquaintance."""


class TradingFrequency(Noun):
    """How long somebody waits between two trades, in hours."""

    min_hours_between_trades: Hours = 12
    max_hours_between_trades: Hours = 48

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min_hours_between_trades > self.max_hours_between_trades:
            raise ValueError("min_hours_between_trades is greater than max_hours_between_trades")
        return self


class TradingBehavior(Noun):
    """When somebody trades, and how much at the most."""

    trading_frequency: TradingFrequency = Field(default_factory=TradingFrequency)
    max_lamports_per_trade: Annotated[int, Field(gt=0)] = 100_000_000
    """0.1 SOL; one SOL is 1_000_000_000 lamports."""
    max_lamports_per_day: Annotated[int, Field(gt=0)] = 500_000_000


class Behavior(Noun):
    """What somebody does of their own accord, and how often."""

    post_frequency: PostFrequency = Field(default_factory=PostFrequency)
    peak_hours: list[HourOfDay] = Field(default_factory=list)
    timezone: TimeZone = "UTC"
    interaction_patterns: InteractionPatterns = Field(default_factory=InteractionPatterns)
    trading_behavior: TradingBehavior = Field(default_factory=TradingBehavior)


class SolanaIntegration(Noun):
    """The wallet somebody trades from."""

    trading_enabled: bool = False
    wallet_address: str = ""
    private_key: SecretStr | None = None
    """A base58 keypair or the JSON array of its 64 bytes. Never stored, logged or shown."""


class Acquaintance(Noun):
    """Somebody the agent knows from the start."""

    handle: Annotated[Name, AfterValidator(_without_at)]
    """Kept without the @."""
    attitude: str = ""


class InitialMemory(Noun):
    """What somebody knows on the first day."""

    core_memories: list[str] = Field(default_factory=list)
    recent_events: list[str] = Field(default_factory=list)
    relationships: list[Acquaintance] = Field(default_factory=list)


class AgentConfig(Noun):
    """One persona, as its file in `config/agents/` says it."""

    id: Identifier
    name: Name
    handle: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,15}$")] | None = None
    """The account name on networks, without the @; made from the id when left out."""
    description: str = ""
    personality: Personality = Field(default_factory=Personality)
    style_guide: StyleGuide = Field(default_factory=StyleGuide)
    behavior: Behavior = Field(default_factory=Behavior)
    initial_memory: InitialMemory = Field(default_factory=InitialMemory)
    solana_integration: SolanaIntegration = Field(default_factory=SolanaIntegration)


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

    @field_validator("metadata")
    @classmethod
    def _has_a_moment(cls, value: dict[str, Any]) -> dict[str, Any]:
        moment(value.get("occurred_at"))
        return value


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
    TRADE = "trade"


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


class TurnOutcome(Noun):
    """All that one turn of an agent changes; it becomes fact in one transaction, or not at all."""

    memories: tuple[Memory, ...] = ()
    events: tuple[EventDraft, ...] = ()
    """What is to happen next: timers, and what the agent has just noticed."""
    intents: tuple[IntentDraft, ...] = ()
    cursor: PostId | None = None
    """The newest mention the agent has seen, when it looked."""
    answers_to: str = ""
    """The occasion on which language models were asked; what they answered is needed no more."""


class Effect(Noun):
    """What an intent has brought about."""

    result: str
    """The id that the network or the chain gave it."""
    memory: Memory
    events: tuple[EventDraft, ...]
    """Tell those who watch."""
