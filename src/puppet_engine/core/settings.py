"""What an operator can set, by argument or from the environment, which nothing else reads."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _parted(value: object) -> object:
    """Return what stands between commas; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parted)]
"""A list: in the environment its parts stand between commas."""


def _positive(value: int | None) -> int | None:
    if value is not None and value < 0:
        raise ValueError("a limit is 0 or more, or null")
    return value


Limit = Annotated[
    int | None,
    BeforeValidator(lambda value: None if value == "null" else value),
    AfterValidator(_positive),
]
"""The most of something, or no limit: in the environment that is `null`."""


def _called(*names: str) -> Any:
    """Return a field that is read from any of these variables, the first of them before others."""
    return Field(validation_alias=AliasChoices(*names))


class Settings(BaseSettings):
    """Everything configurable, with defaults on which a newcomer can start without a key.

    Each is read from `PUPPET_<NAME>`; keys of well-known services also from their usual names.
    """

    model_config = SettingsConfigDict(
        env_prefix="PUPPET_", extra="forbid", validate_assignment=True, populate_by_name=True
    )

    database_url: str = "sqlite:///var/puppets.db"
    """An SQLAlchemy URL; SQLite or PostgreSQL."""
    sqlite_synchronous: Literal["NORMAL", "FULL"] = "FULL"
    """What a turn on an SQLite file survives: `NORMAL` a kill, `FULL` a loss of power, too."""
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 64
    """How many agents take their turns at once in a life; in a rehearsal it is one."""
    resident_agents: Annotated[int, Field(ge=1)] = 10_000
    """How many agents without a file are held in memory; idle ones beyond that are only rows."""
    engine: Literal["embedded", "restate"] = "embedded"
    """`embedded` (one process, no server), or `restate` (many processes on one PostgreSQL)."""
    restate_ingress_url: str = "http://127.0.0.1:8080"
    """Where Restate takes wake-ups."""
    restate_admin_url: str = "http://127.0.0.1:9070"
    """Where workers make themselves known to Restate."""
    restate_identity_key: str | None = None
    """Restate's public key, `publickeyv1_…`; with it a worker obeys nobody else."""
    worker_host: str = "127.0.0.1"
    """The address on which a worker listens to Restate; beyond loopback it needs the key above."""
    worker_port: Annotated[int, Field(ge=0, le=65535)] = 9080
    """Its port, which all workers of one machine share; 0 takes a free one."""
    worker_url: str | None = None
    """Where Restate reaches the workers, as `http://workers.internal:9080`; made of the two above
    when unset. The address of the load balancer when there are several machines."""
    agents_dir: Path = Path("config/agents")
    """The folder of persona files, `*.json`."""
    disclosure: Annotated[str, Field(min_length=1, max_length=120)] = (
        "An AI persona, run by a program."
    )
    """What the profile of every agent says besides who it is: that a program speaks."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    enable_metrics: bool = True
    """Accepted as the guide gives it; no metrics are served yet, whatever it says."""
    seed: int = 7
    """Where all chance comes from; the same seed gives the same life."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8700
    """Where API and dashboard listen, on the loopback interface; 0 takes a free port."""

    llm_provider: str = "rehearsal"
    """`rehearsal` (the world's own brain, which costs nothing), `openai`, `grok`, `anthropic`,
    `gemini`, `ollama`, `vllm`, `llamacpp`, `fake`, or a plug-in."""
    llm_fallbacks: Names = ()
    """Who is asked when the provider does not answer, in this order, parted by commas; in the
    rehearsal world `rehearsal`, too."""
    llm_small_model: str | None = None
    """Whom the provider asks when a budget runs low; a usual one when unset."""
    llm_timeout_seconds: Annotated[float, Field(gt=0)] = 60
    llm_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a call is made that certainly came to nothing, with pauses in between."""
    llm_record_to: Path | None = None
    """A file to which every call and its answer are written; there may be personal data in it."""
    llm_replay_from: Path | None = None
    """A file that was so written, from which calls are answered instead of by a model."""
    llm_prices: Names = ()
    """Prices that are not known or other than the list's, such as `my-model=0.25/2`: US dollars
    for a million tokens of input and of output; parted by commas."""
    max_model_microdollars_per_day: Limit = 1_000_000
    """What the models of an agent may cost on a day (UTC); no limit when null."""
    max_model_tokens_per_day: Limit = None
    """How many tokens the models of an agent may take on a day (UTC); no limit when null."""

    openai_api_key: Annotated[
        SecretStr | None, _called("PUPPET_OPENAI_API_KEY", "OPENAI_API_KEY")
    ] = None
    openai_base_url: Annotated[
        str | None, _called("PUPPET_OPENAI_BASE_URL", "OPENAI_BASE_URL")
    ] = None
    """Another place where OpenAI's protocol is spoken; OpenAI itself when unset."""
    openai_model: str = "gpt-5-mini"
    grok_api_key: Annotated[SecretStr | None, _called("PUPPET_GROK_API_KEY", "XAI_API_KEY")] = None
    grok_base_url: str = "https://api.x.ai/v1"
    grok_model: str = "grok-4-1-fast-non-reasoning"
    anthropic_api_key: Annotated[
        SecretStr | None, _called("PUPPET_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY")
    ] = None
    anthropic_base_url: Annotated[
        str | None, _called("PUPPET_ANTHROPIC_BASE_URL", "ANTHROPIC_BASE_URL")
    ] = None
    anthropic_model: str = "claude-haiku-5-5"
    gemini_api_key: Annotated[
        SecretStr | None, _called("PUPPET_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
    ] = None
    gemini_base_url: str | None = None
    gemini_model: str = "gemini-3.8-flash"
    ollama_base_url: str = "http://127.0.0.1:11434/v1"
    ollama_model: str | None = None
    """The first that Ollama has when unset; so with the two below."""
    vllm_base_url: str = "http://127.0.0.1:8000/v1"
    vllm_model: str | None = None
    llamacpp_base_url: str = "http://127.0.0.1:8080/v1"
    llamacpp_model: str | None = None

    embedder: str = "minilm"
    """By what memories are found: `minilm`, `static` (coarser, faster), `multilingual`, any other
    that `TIMBER_EMBEDDER` can be, or `none` (their words alone). A rehearsal uses `static` unless
    this is set. What is not installed is done without, and logged."""

    world_url: str | None = None
    """The address of a rehearsal world that runs already; one of our own when unset."""
    world_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where a world of our own listens, on the loopback interface; 0 takes a free port."""

    max_intents_per_day: Annotated[int, Field(ge=0)] = 200
    """How much an agent may say on a network in any 24 hours."""
    max_microdollars_per_day: Annotated[int, Field(ge=0)] = 5_000_000
    """What an agent may cost on a network in any 24 hours; a dollar is 1_000_000."""

    world_database_url: str | None = None
    """Where the rehearsal world keeps what was said in it; beside the agents' own when unset."""
    speed: Annotated[float, Field(gt=0)] = 1
    """How many virtual seconds pass in a real one while nothing is under way in the world."""
    event_retention_days: Annotated[float | None, Field(gt=0)] = 30
    """For how long what has happened can be looked up; for ever when null.
    Dead letters stay until they are replayed."""
    said_retention_days: Annotated[float | None, Field(ge=31)] = 365
    """For how long is kept what agents said, or otherwise did outside, and is not said again; for
    ever when null."""
    most_waiting_events: Annotated[int, Field(gt=0)] = 250_000
    """How many events may wait for their turn before publishing more is refused."""
    mention_poll_minutes: Annotated[float, Field(gt=0)] = 10
    """How often an agent looks for mentions."""
    memory_room: Annotated[int, Field(ge=100)] = 100_000
    """How many memories an agent has at the most; it lets go of those that are worth least."""

    @property
    def event_retention(self) -> timedelta | None:
        """For how long events that are over are kept, and what was felt and decided in them."""
        return _days(self.event_retention_days)

    @property
    def said_retention(self) -> timedelta | None:
        """For how long what was said, or done outside, is kept."""
        return _days(self.said_retention_days)


def _days(count: float | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


def secrets_of(settings: Settings) -> list[str]:
    """Return the keys that the engine works with, and that no text may hold."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
