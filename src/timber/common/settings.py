"""What an operator can set, by argument or from the environment, which nothing else reads."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import override

from timber.common.errors import AlreadyOpenError, ConfigurationError

SQLiteSynchronous = Literal["NORMAL", "FULL"]
"""When SQLite waits for the disk: at checkpoints of its log, or at every commit."""


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    """How connections to the database are kept, and how long they may wait."""

    pool_size: int = 10
    pool_overflow: int = 20
    pool_timeout_seconds: float = 30
    statement_timeout_seconds: float = 60
    lock_timeout_seconds: float = 30
    application_name: str = "timber"
    sqlite_synchronous: SQLiteSynchronous = "FULL"
    overwrite_deleted: bool = False
    """Whether SQLite fills with zeros what it frees."""


class TimberSettings(BaseSettings):
    """Everything configurable; each is read from `TIMBER_<NAME>` where no argument is given."""

    model_config = SettingsConfigDict(
        env_prefix="TIMBER_",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    database_url: Annotated[str, Field(repr=False)] = "sqlite:///:memory:"
    """An SQLAlchemy URL of SQLite or PostgreSQL; in memory, it lives as long as the Timber."""
    pool_size: Annotated[int, Field(ge=1)] = 10
    """How many connections to PostgreSQL are kept open."""
    pool_overflow: Annotated[int, Field(ge=0)] = 20
    """How many more are opened for a while when all of those are in use."""
    pool_timeout_seconds: Annotated[float, Field(gt=0)] = 30
    """How long a transaction waits for a free connection to PostgreSQL."""
    statement_timeout_seconds: Annotated[float, Field(ge=0)] = 60
    """How long one statement may take on PostgreSQL; 0 is for ever."""
    lock_timeout_seconds: Annotated[float, Field(ge=0)] = 30
    """How long a statement waits for another transaction; 0 is for ever."""
    application_name: str = "timber"
    """How PostgreSQL's own views and logs call the connections."""
    sqlite_synchronous: SQLiteSynchronous = "FULL"
    """What a commit to an SQLite file survives: `NORMAL` a kill, `FULL` a loss of power, too."""
    model_config_dirs: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders of model files, `*.yaml`, `*.yml` and `*.json`, searched to their depth."""
    packaged_models: bool = True
    """Load the models that installed distributions ship (entry points `timber.models`)."""
    create_tables: bool = True
    """Create the tables that are missing when opening."""
    environment: Literal["development", "production"] = "development"
    """Where it runs: in production no keys are made by themselves."""
    keystore: Annotated[str | None, Field(repr=False)] = None
    """Where keys are kept: a folder, or the URL of a PostgreSQL database of its own. When unset:
    `app.db.keys` beside the file `app.db`; for PostgreSQL a folder below the user's data."""
    master_key: SecretStr | None = None
    """The key under which the keystore is: the base64 of 32 bytes. While it is renewed there are
    several, `2:<new>,1:<old>`. When unset, it is in a file."""
    master_key_file: Path | None = None
    """The file with it, which only its owner may read. When unset, `master.key` in the folder."""
    key_bound_seconds: Annotated[float, Field(gt=0)] = 1
    """How long a process may go on to use a key that another has destroyed or renewed."""
    enable_encryption: bool = True
    """Seal what models say; where one does and this is off, nothing is opened."""
    enable_caching: bool = True
    """Read through the cache the models that have one; what is written passes it anyway."""
    enable_gdpr: bool = True
    enable_auto_vector_ingestion: bool = True
    """Store the vectors of a row when the row is stored; else only when asked."""

    embedder: str = "minilm"
    """What makes vectors of texts: `minilm` (English), `static` (English, faster, coarser),
    `multilingual`, `fastembed:<model or folder>`, `openai:<model>`, or `none` (words alone)."""
    embedder_threads: Annotated[int, Field(ge=1)] = 2
    """How many threads a model that runs in this process computes with."""
    embedder_url: str | None = None
    """Where OpenAI's protocol is spoken, for `openai:<model>`; OpenAI itself when unset."""
    embedder_api_key: SecretStr | None = None
    """The key for it; local servers mostly need none."""
    embedder_dimension: Annotated[int, Field(ge=1)] | None = None
    """How many numbers `openai:<model>` is to give; as many as it likes when unset."""
    embedder_timeout_seconds: Annotated[float, Field(gt=0)] = 60
    """How long `openai:<model>` may take to answer."""
    embedder_cache_dir: Path | None = None
    """Where `fastembed:<model>` lies; nothing is downloaded to it. fastembed's own when unset."""

    vector_cache_bytes: Annotated[int, Field(ge=0)] = 1_000_000_000
    """How many bytes of vectors a process keeps in memory to search them; on PostgreSQL, those of
    owners of 5,000 and more."""
    vector_graph_from: Annotated[int, Field(ge=1)] = 1_000_000
    """From how many vectors on SQLite searches without filters go through a graph, which may
    miss one of the nearest; fewer are all compared."""

    redis_url: Annotated[
        str | None,
        Field(repr=False, validation_alias=AliasChoices("TIMBER_REDIS_URL", "REDIS_URL")),
    ] = None
    """The Redis through which the processes on one database share their caches."""
    cache_rows: Annotated[int, Field(ge=1)] = 10_000
    """How many rows, and answers to queries, a process remembers."""
    cache_bound_seconds: Annotated[float, Field(gt=0)] = 0.1
    """How long a process may be told, by its cache, what another has changed meanwhile."""

    idempotency_seconds: Annotated[float, Field(gt=0)] = 86_400
    """How long a service remembers an idempotency key, from its first use."""

    @property
    def connection_options(self) -> ConnectionOptions:
        """What of this the engine is set up with."""
        return ConnectionOptions(
            pool_size=self.pool_size,
            pool_overflow=self.pool_overflow,
            pool_timeout_seconds=self.pool_timeout_seconds,
            statement_timeout_seconds=self.statement_timeout_seconds,
            lock_timeout_seconds=self.lock_timeout_seconds,
            application_name=self.application_name,
            sqlite_synchronous=self.sqlite_synchronous,
        )

    @model_validator(mode="after")
    def _has_one_master_key(self) -> Self:
        if self.master_key is not None and self.master_key_file is not None:
            raise ValueError("give master_key or master_key_file, not both")
        return self

    @field_validator("model_config_dirs", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Read the environment's form, folders joined as in PATH."""
        if isinstance(value, str):
            return tuple(part for part in value.split(os.pathsep) if part)
        return value


def load_settings(**given: Any) -> TimberSettings:
    """Return the settings `given`, the rest from the environment and the defaults.

    Raises:
        ConfigurationError: one of them cannot be used.

    """
    try:
        return TimberSettings(**given)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"the settings cannot be used: {found}") from error


def user_data_folder() -> Path:
    """Return where programs keep a user's data that he has not named a place for."""
    if os.name == "nt":
        given = os.environ.get("LOCALAPPDATA")  # noqa: TID251 - settings may look
        return Path(given) if given else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    given = os.environ.get("XDG_DATA_HOME")  # noqa: TID251 - settings may look
    return Path(given) if given else Path.home() / ".local" / "share"


class Config:
    """A live view of a Timber's settings, in capitals: `config.DATABASE_URL`.

    Attributes can be assigned until the Timber is opened; it is opened with what was assigned.
    From then on they read what it was opened with, until it is closed.
    """

    _assigned: dict[str, Any]
    _opened: TimberSettings | None

    def __init__(self) -> None:
        object.__setattr__(self, "_assigned", {})
        object.__setattr__(self, "_opened", None)

    def settings(self, **given: Any) -> TimberSettings:
        """Return what to open with: `given`, else what was assigned, else the environment."""
        return load_settings(**{**self._assigned, **given})

    def follow(self, opened: TimberSettings | None) -> None:
        """Read `opened` from now on; None makes the attributes assignable again."""
        object.__setattr__(self, "_opened", opened)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened or self.settings(), _field(name))

    @override
    def __setattr__(self, name: str, value: object) -> None:
        field = _field(name)
        if self._opened is not None:
            raise AlreadyOpenError(
                f"{name} cannot be set while Timber is open: set it before `initialize_timber()`"
            )
        load_settings(**{field: value})
        self._assigned[field] = value

    @override
    def __dir__(self) -> list[str]:
        return sorted(field.upper() for field in TimberSettings.model_fields)


def _field(name: str) -> str:
    field = name.lower()
    if not name.isupper() or field not in TimberSettings.model_fields:
        known = ", ".join(sorted(TimberSettings.model_fields)).upper()
        raise AttributeError(f"config has no {name!r}; there are: {known}")
    return field
