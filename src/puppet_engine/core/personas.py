"""The nouns of who an agent is, as its persona file says it."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from puppet_engine.core.mood_words import Place, place_of, require_place
from puppet_engine.core.moods import Feeling
from puppet_engine.core.nouns import (
    HourOfDay,
    Hours,
    Identifier,
    Name,
    Noun,
    Probability,
    TimeZone,
)
from puppet_engine.core.style_guides import StyleGuide


def _without_at(handle: str) -> str:
    return handle.removeprefix("@")


class NamedMood(Noun):
    """A mood with a name of its own, and where it lies."""

    name: Name
    valence: Feeling
    arousal: Feeling


def _placed(moods: list[str | NamedMood], info: ValidationInfo) -> list[str | NamedMood]:
    # What was kept by an earlier release must not keep a life from going on.
    if not (info.context or {}).get(KEPT):
        for mood in moods:
            if isinstance(mood, str):
                require_place(mood)
    return moods


KEPT: Final = "kept"
"""The key of the context that says of a persona: it lives already, as it was kept."""


class EmotionalRange(Noun):
    """What somebody can feel: where the mood rests, how far it goes, and how long it lasts."""

    moods: Annotated[list[str | NamedMood], AfterValidator(_placed)] = Field(default_factory=list)
    """The moods one knows of somebody: words of the packaged lexicon, or with their place."""
    baseline_valence: Feeling = 0
    """Where the mood rests, from misery to bliss."""
    baseline_arousal: Feeling = 0
    """Where it rests, from asleep to frantic."""
    intensity: Probability = 0.5
    """How far events move it."""
    inertia: Probability = 0.3
    """How much of what goes against the mood of the moment is not felt."""
    half_life_hours: Hours = 6
    """After how long half of a mood has faded."""

    def places(self) -> dict[str, Place]:
        """Return where each of the moods lies, by name."""
        known = {mood: place_of(mood) for mood in self.moods if isinstance(mood, str)}
        given = {
            mood.name: (mood.valence, mood.arousal)
            for mood in self.moods
            if isinstance(mood, NamedMood)
        }
        return {name: place for name, place in known.items() if place is not None} | given


def _moods(value: Any) -> Any:
    """Take a list of moods for what it is meant to be."""
    return {"moods": value} if isinstance(value, list) else value


class Personality(Noun):
    """What somebody is like."""

    traits: list[str] = Field(default_factory=list)
    values: list[str] = Field(default_factory=list)
    speaking_style: str = ""
    interests: list[str] = Field(default_factory=list)
    background: str = ""
    quirks: list[str] = Field(default_factory=list)
    emotional_range: Annotated[
        EmotionalRange, BeforeValidator(_moods, json_schema_input_type=EmotionalRange | list[str])
    ] = Field(default_factory=EmotionalRange)
    """Its fields, or a list of nothing but moods."""
    opinions: list[str] = Field(default_factory=list)
    """What somebody holds to be true, each as they would say it."""
    surroundings: list[str] = Field(default_factory=list)
    """What is around somebody and gets mentioned, one thing each, as in `the kettle`."""


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
    """How readily somebody speaks, and answers others."""

    post_probability: Probability = 1
    """How often somebody whose post is due has something to say; else they keep silent."""
    reply_probability: Probability = 0.7
    like_probability: Probability = 0.3
    quote_probability: Probability = 0
    repost_probability: Probability = 0
    mention_probability: Probability = 0.3
    """How often a post is addressed to an acquaintance."""


class ResponseTimes(Noun):
    """How long somebody takes to answer what they noticed, in minutes."""

    min_minutes: Annotated[float, Field(ge=0, le=1440)] = 0
    max_minutes: Annotated[float, Field(ge=0, le=1440)] = 0

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min_minutes > self.max_minutes:
            raise ValueError("min_minutes is greater than max_minutes")
        return self


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
    response_times: ResponseTimes = Field(default_factory=ResponseTimes)
    trading_behavior: TradingBehavior = Field(default_factory=TradingBehavior)


class RotatingPrompts(Noun):
    """What a model is told besides, one after the other: what somebody is up to these days."""

    prompts: list[Annotated[str, StringConstraints(min_length=1)]] = Field(default_factory=list)
    every_hours: Hours = 24
    order: Literal["in_turn", "by_chance"] = "in_turn"


class ModelSettings(Noun):
    """Which language model speaks for somebody, and how; what is left out is the engine's."""

    model: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None


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
    knowledge: list[str] = Field(default_factory=list)
    """What somebody has learned: facts, one each."""


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
    rotating_system_prompts: RotatingPrompts = Field(default_factory=RotatingPrompts)
    initial_memory: InitialMemory = Field(default_factory=InitialMemory)
    llm: ModelSettings = Field(default_factory=ModelSettings)
    solana_integration: SolanaIntegration = Field(default_factory=SolanaIntegration)
