"""What of a life matters to people, read from its events."""

import logging
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from puppet_engine.core.models import Event

log = logging.getLogger(__name__)


class Payload(BaseModel):
    """What an event says. It may say more than the page shows."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    handle: str = ""
    """Of the agent it happened to, without the @."""


class Published(Payload):
    """Somebody said something."""

    post_id: str
    name: str
    text: str
    in_reply_to: str | None = None
    reply_to_handle: str | None = None
    conversation_id: str | None = None
    part: int = 1
    """Which post of a thread it is, of `parts`."""
    parts: int = 1

    @property
    def goes_on(self) -> bool:
        """Whether it stands under a post of its author's, whose thread it is."""
        return self.part > 1


class Traded(Payload):
    """Somebody traded; `text` tells of it."""

    text: str


class Kept(Payload):
    """Somebody keeps something in memory."""

    type: str
    content: str


class Failed(Payload):
    """Something could not be done for somebody."""

    error: str
    agent_id: str = ""


AnyPayload = TypeVar("AnyPayload", bound=Payload)

PAYLOADS: Final[dict[str, type[Payload]]] = {
    "post.published": Published,
    "trade.executed": Traded,
    "memory.kept": Kept,
    "agent.failed": Failed,
}


class Happening(BaseModel):
    """One thing that happened, and when."""

    model_config = ConfigDict(frozen=True)

    event_id: str
    agent_id: str
    at: datetime
    payload: Published | Traded | Kept | Failed


def read_happening(event: Event) -> Happening | None:
    """Return what an event means to people; `None` when that is nothing.

    An event whose payload cannot be read is logged and passed over: one of them
    shall not take the page from everybody.
    """
    kind = PAYLOADS.get(event.type)
    if kind is None:
        return None
    try:
        payload = kind.model_validate(event.payload)
        return Happening.model_validate(
            {
                "event_id": event.id,
                "agent_id": event.agent_id or "",
                "at": event.due_at,
                "payload": payload,
            }
        )
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        log.warning("event %s (%s) cannot be shown: see %s", event.id, event.type, fields)
        return None
