"""The noun of how an agent stands with somebody."""

from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from puppet_engine.core.moods import Feeling
from puppet_engine.core.nouns import Noun, Probability

REASONS: Final = 5
"""How many of its last reasons a relationship keeps."""


class Reason(Noun):
    """What has changed a relationship; without anybody's words."""

    at: AwareDatetime
    what: str


class Relationship(Noun):
    """How an agent stands with one person, or with one other agent."""

    handle: str
    """In lower case, without the @."""
    familiarity: Probability = 0
    """From a stranger, 0, to somebody known through and through, 1."""
    affinity: Feeling = 0
    """From dislike to love."""
    trust: Feeling = 0
    """From distrust to trust."""
    as_of: AwareDatetime
    reasons: Annotated[tuple[Reason, ...], Field(max_length=REASONS)] = ()
    """The last ones, newest first."""
