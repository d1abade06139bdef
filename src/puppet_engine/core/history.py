"""The nouns of what has become of events."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from puppet_engine.core.ids import EventId
from puppet_engine.core.models import Event, Noun


class Fate(StrEnum):
    """What has become of an event."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"
    """Given up; a dead letter until it is replayed."""
    REPLAYED = "replayed"
    """Given up, and tried again since as another event."""
    CANCELLED = "cancelled"


class EventRecord(Noun):
    """An event and what has become of it."""

    event: Event
    fate: Fate
    created_at: AwareDatetime
    """When it became known that it is to happen."""
    settled_at: AwareDatetime | None = None
    settled_as: int | None = None
    """Its place in the order in which events were over."""
    error: str = ""
    """Why it failed last, if it did."""
    replayed_as: EventId | None = None


@dataclass(frozen=True, kw_only=True)
class HistoryQuery:
    """Which of the events that are over, newest first."""

    agent_id: str | None = None
    types: Collection[str] = ()
    """Of any type, when empty."""
    since: datetime | None = None
    """Over at that moment or later."""
    until: datetime | None = None
    """Over at that moment or earlier."""
    before: int | None = None
    """Only what was over before that place: the `settled_as` of the last page's last record."""
    limit: int = 100
