"""The nouns of what an agent knows of itself at the beginning of a turn, and of the world."""

from pydantic import AwareDatetime

from puppet_engine.core.moods import Impulse, MoodState
from puppet_engine.core.nouns import Noun
from puppet_engine.core.relationships import Relationship


class Tiding(Noun):
    """Something that happened in the world, and may move those who hear of it."""

    number: int = 0
    """Its place in the order of tidings; given when it is kept."""
    type: str
    """`news.market`, `finding.report`, `mood.weather` …"""
    text: str = ""
    """What it is about, in a line; empty when nobody could post about it."""
    impulse: Impulse
    happened_at: AwareDatetime


class KnownMind(Noun):
    """What is kept of an agent's mind, as it was when it was kept."""

    mood: MoodState | None = None
    """None before anything has moved it."""
    relationships: tuple[Relationship, ...] = ()
    """To whom the turn is about; else to those it knows best."""
    tidings: tuple[Tiding, ...] = ()
    """The last ones, oldest first."""
