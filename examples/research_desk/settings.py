"""What can be set, and where it is read: the only module that looks at the environment."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SourceName = Literal["offline", "yahoo"]


class DeskSettings(BaseSettings):
    """Where prices come from; each is read from `RESEARCH_DESK_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="RESEARCH_DESK_", extra="forbid", frozen=True)

    sources: Annotated[tuple[SourceName, ...], NoDecode, Field(min_length=1)] = ("offline",)
    """The sources of prices, separated by commas; each is asked if those before it fail."""
    quotes_url: str | None = None
    """A service of current prices: `{ticker}` in the URL stands for the ticker."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 10
    """How long an answer from the network is waited for."""

    @field_validator("sources", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("quotes_url")
    @classmethod
    def _names_the_ticker(cls, value: str | None) -> str | None:
        if value is not None and "{ticker}" not in value:
            raise ValueError("it needs {ticker} where the ticker goes")
        return value
