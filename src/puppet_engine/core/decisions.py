"""The noun of why an agent did what it did, or did nothing."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from puppet_engine.core.ids import IntentId, MemoryId
from puppet_engine.core.moods import MoodState
from puppet_engine.core.nouns import Noun, Probability
from puppet_engine.core.relationships import Relationship


class Act(StrEnum):
    """What an agent may do about something."""

    POST = "post"
    REPLY = "reply"
    LIKE = "like"
    QUOTE = "quote"
    REPOST = "repost"
    TRADE = "trade"
    SILENCE = "silence"


class Recalled(Noun):
    """A memory that came to mind."""

    id: MemoryId
    content: str


class Decision(Noun):
    """Why an agent did something in a turn, or did nothing."""

    occasion: str
    """The type of the event that brought the turn about: `post.due`."""
    acts: tuple[Act, ...]
    """What it chose to do; `SILENCE` alone when nothing."""
    why: str
    """In a line, for people."""
    topic: str = ""
    mood: MoodState
    """When it had chosen."""
    mood_name: str
    relationship: Relationship | None = None
    """To whom it was about."""
    chances: dict[Act, Probability] = Field(default_factory=dict)
    """How likely each of the acts was that it weighed."""
    about: str = ""
    """The id of the post that it was about."""
    memories: tuple[Recalled, ...] = ()
    """What came to its mind, best first."""
    prompt: str = ""
    """What the model was asked, after who it is."""
    system: str = ""
    """The SHA-256 of what it was told of who it is, which its persona says."""
    drafts: tuple[dict[str, Any], ...] = ()
    """What the model proposed, and what was found in each; a text that is unsafe is left out."""
    model: str = ""
    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cost: Annotated[int, Field(ge=0)] = 0
    """In micro-dollars, as far as the model's price is known."""


class StoredDecision(Decision):
    """A decision that is kept."""

    number: int
    agent_id: str
    event_id: str | None = None
    at: AwareDatetime
    intent_id: IntentId | None = None
    """What it wanted done outside; None when nothing."""
