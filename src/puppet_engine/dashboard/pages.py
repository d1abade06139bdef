"""The page and its pieces, as HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from puppet_engine.api.dependencies import AgentView, ReadableClock, SettableClock
from puppet_engine.api.schemas import FASTEST
from puppet_engine.core.decisions import StoredDecision
from puppet_engine.dashboard.faces import Face
from puppet_engine.dashboard.tally import Totals
from puppet_engine.dashboard.timeline import Entry, Recollection

HERE: Final = Path(__file__).parent

MENTION: Final = re.compile(r"(?<!\w)(@\w{1,15})")


@dataclass(frozen=True)
class CastMember:
    """An agent, as the page introduces it."""

    id: str
    face: Face
    traits: tuple[str, ...]
    is_active: bool
    last_memory: str = ""

    @classmethod
    def of(cls, agent: AgentView, *, last_memory: str = "") -> "CastMember":
        face = Face(name=agent.name, handle=agent.handle)
        traits = tuple(agent.config.personality.traits)
        return cls(agent.id, face, traits, agent.is_active, last_memory)


@dataclass(frozen=True)
class Snapshot:
    """Everything the page shows at one moment."""

    cast: Sequence[CastMember]
    conversations: Sequence[Entry]
    recollections: Sequence[Recollection]
    totals: Totals
    clock: ReadableClock
    after: int
    """The event up to which it is told; the live stream goes on from there."""


@dataclass(frozen=True)
class Frame:
    """What changed on the page since the frame before."""

    entries: Sequence[Entry]
    recollections: Sequence[Recollection]
    totals: Totals
    clock: ReadableClock
    cast: Sequence[CastMember] | None = None
    """The whole cast, when somebody joined, left, woke or fell asleep."""


class Pages:
    """Renders with templates that escape everything."""

    def __init__(self, *, explains: bool = False) -> None:
        """Link each post to why it was made, if there is a page that `explains` it."""
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            weekday=_weekday, day=_day, minute=_minute, moment=_moment, mentions=_mentions
        )
        self._templates.tests["settable"] = _is_settable
        self._templates.globals.update(fastest=FASTEST, inf=inf, explains=explains)

    def page(self, snapshot: Snapshot) -> str:
        """Return the whole page."""
        return self._templates.get_template("page.html").render(view=snapshot)

    def why(self, decision: StoredDecision, face: Face) -> str:
        """Return the page that tells why somebody did something."""
        template = self._templates.get_template("why.html")
        return template.render(decision=decision, face=face)

    def frame(self, frame: Frame) -> str:
        """Return the pieces of the page that are new or changed."""
        return self._templates.get_template("frame.html").render(view=frame)


def _is_settable(clock: object) -> bool:
    return isinstance(clock, SettableClock)


def _weekday(at: datetime) -> str:
    return f"{at.astimezone(UTC):%A}"


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%B %Y}"


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%b, %H:%M}"


def _mentions(text: str) -> Markup:
    """Set off the names in a text. Everything that comes from the text is escaped."""
    marked = Markup('<span class="mention">{}</span>')
    pieces = MENTION.split(text)
    return Markup("").join(
        marked.format(piece) if position % 2 else piece for position, piece in enumerate(pieces)
    )
