"""What the measures of a rehearsal came to, as JSON."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import computed_field

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.authorship import Authorship
from puppet_engine.measures.canaries import Canaries
from puppet_engine.measures.conversations import Conversations
from puppet_engine.measures.drift import Drift
from puppet_engine.measures.mood import Mood
from puppet_engine.measures.population import Population
from puppet_engine.measures.reading import Reading, hold
from puppet_engine.measures.relationships import Relationships
from puppet_engine.measures.repetition import Repetition
from puppet_engine.measures.rhythm import Rhythm
from puppet_engine.measures.showing import Showing
from puppet_engine.measures.style import Style
from puppet_engine.measures.timing import Timing
from puppet_engine.measures.topics import Topics
from puppet_engine.measures.week import Week


@dataclass(frozen=True, kw_only=True)
class Group:
    """Readings that say the same of several, of at least one."""

    of: str
    readings: tuple[Reading, ...]

    @property
    def beyond(self) -> list[Reading]:
        """Those that are not within their lines."""
        return [reading for reading in self.readings if not reading.holds]

    @property
    def shown(self) -> list[Reading]:
        """Those that are told one by one: the only one, or those beyond their lines."""
        return list(self.readings) if len(self.readings) == 1 else self.beyond

    @property
    def span(self) -> str:
        """The least and the greatest value, as people read them."""
        values = sorted(self.readings, key=lambda reading: reading.value)
        least, greatest = values[0].figure, values[-1].figure
        return least if least == greatest else f"{least} to {greatest}"


class _Question(Noun):
    """What there is to say of a measure."""

    title: str
    asks: str
    means: str


class Verdict(Noun):
    """What one measure came to."""

    title: str
    asks: str
    means: str
    """What is measured, and what its lines mean."""
    readings: list[Reading]

    @computed_field  # type: ignore[prop-decorator] # of pydantic, which mypy does not know
    @property
    def holds(self) -> bool:
        """Whether everything held to a line is within it."""
        return hold(self.readings)

    @property
    def groups(self) -> list[Group]:
        """The readings that are held to a line, by what they say."""
        held = [reading for reading in self.readings if reading.line]
        return [
            Group(of=of, readings=tuple(reading for reading in held if reading.of == of))
            for of in dict.fromkeys(reading.of for reading in held)
        ]

    @property
    def told(self) -> list[Reading]:
        """The readings that are only told."""
        return [reading for reading in self.readings if not reading.line]


class Appraisal(Noun):
    """What all measures of one rehearsal came to."""

    days: float
    seed: int
    handles: list[str]
    texts: int
    digest: str
    """SHA-256 of everything said: the same cast, days and seed give the same."""
    lived_seconds: float
    measured_seconds: float
    """Processor time, for the life and for the measures."""
    style: Style
    repetition: Repetition
    authorship: Authorship
    canaries: Canaries
    drift: Drift
    population: Population
    post_times: Timing
    rhythm: Rhythm
    week: Week
    answer_times: Timing
    mood: Mood
    showing: Showing
    relationships: Relationships
    conversations: Conversations
    topics: Topics

    @computed_field  # type: ignore[prop-decorator] # of pydantic, which mypy does not know
    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What each measure came to, by its name."""
        return {
            name: Verdict(
                title=one.title,
                asks=one.asks,
                means=one.means,
                readings=getattr(self, name).readings,
            )
            for name, one in _questions().items()
        }

    @property
    def holds(self) -> bool:
        """Whether every measure holds its line."""
        return all(verdict.holds for verdict in self.verdicts.values())

    def as_json(self) -> str:
        """Return everything in one JSON object, each reading once."""
        told_in_verdicts = {name: {"readings"} for name in _questions()}
        return self.model_dump_json(indent=1, exclude=told_in_verdicts) + "\n"


@cache
def _questions() -> Mapping[str, _Question]:
    """Return what there is to say of each measure, by its name, in the order of the page."""
    text = (files("puppet_engine.appraisal") / "questions.toml").read_text("utf-8")
    return {name: _Question(**told) for name, told in tomllib.loads(text).items()}
