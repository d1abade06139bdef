"""The nouns of what an agent feels and how it stands with others, as those outside see it."""

from pydantic import AwareDatetime

from puppet_engine.core.moods import MoodChange, MoodState
from puppet_engine.core.nouns import Noun


class MoodMoment(MoodChange):
    """One moment at which something moved an agent, as it is kept."""

    number: int
    at: AwareDatetime


class MoodView(Noun):
    """What an agent feels now, and what has moved it."""

    agent_id: str
    name: str
    """What its persona calls it."""
    mood: MoodState
    """Faded to this moment."""
    moments: tuple[MoodMoment, ...] = ()
    """Newest first."""
