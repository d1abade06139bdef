"""What an operator can set, by argument or from the environment, which nothing else reads."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything configurable, with defaults on which a newcomer can start without a key.

    Each is read from `PUPPET_<NAME>`; keys of well-known services also from their usual names.
    """

    model_config = SettingsConfigDict(
        env_prefix="PUPPET_", extra="forbid", validate_assignment=True, populate_by_name=True
    )

    environment: Literal["development", "production"] = "development"
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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    enable_metrics: bool = True
    """Accepted as the guide gives it; no metrics are served yet, whatever it says."""
    seed: int = 7
    """Where all chance comes from; the same seed gives the same life."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8700
    """Where API and dashboard listen, on the loopback interface; 0 takes a free port."""

    llm_provider: str = "rehearsal"
    """`rehearsal` (the world's own brain, which costs nothing), `openai`, `fake`, or a plug-in."""
    openai_api_key: Annotated[
        SecretStr | None,
        Field(validation_alias=AliasChoices("PUPPET_OPENAI_API_KEY", "OPENAI_API_KEY")),
    ] = None
    openai_base_url: Annotated[
        str | None,
        Field(validation_alias=AliasChoices("PUPPET_OPENAI_BASE_URL", "OPENAI_BASE_URL")),
    ] = None
    """Where OpenAI's protocol is spoken (Grok, Ollama, vLLM …); OpenAI itself when unset."""
    openai_model: str = "gpt-5-mini"
    llm_timeout_seconds: Annotated[float, Field(gt=0)] = 60

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
    most_waiting_events: Annotated[int, Field(gt=0)] = 250_000
    """How many events may wait for their turn before publishing more is refused."""
    mention_poll_minutes: Annotated[float, Field(gt=0)] = 10
    """How often an agent looks for mentions."""
    memory_room: Annotated[int, Field(ge=100)] = 100_000
    """How many memories an agent has at the most; it lets go of those that are worth least."""
