"""What a simulation came to, as JSON."""

from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import Noun
from puppet_engine.simulation.account import Finding
from puppet_engine.simulation.digests import Utterance
from puppet_engine.simulation.feelings import MoodHour, Standing
from puppet_engine.simulation.meter import Cost, Usage
from puppet_engine.simulation.scenario import FaultKind, Scenario
from puppet_engine.simulation.talk import Answers, Cascades, Hour


class Counts(Noun):
    """How much there was of everything."""

    posts: int
    replies: int
    memories: int
    events: int
    """How many events were over."""
    retries: int
    """How often an event had to be tried again."""
    given_up: int
    """Events that failed too often, and intents that were refused."""


class Person(Noun):
    """One of those who lived."""

    handle: str
    name: str
    calling: str


class Report(Noun):
    """What a simulation came to, with all that is needed to live it again."""

    scenario: Scenario
    is_partial: bool
    """Whether it was broken off before its end."""
    lived_until: datetime
    wall_seconds: float
    digest: str
    """SHA-256 of everything said and of everything that happened."""
    said_by_day: list[str]
    """A digest of what was said, for each day."""
    happened_by_hour: list[str]
    """A digest of what happened, for each hour."""
    counts: Counts
    memories: dict[str, int]
    """How many memories of each type."""
    usage: Usage
    cost: Cost
    faults: dict[FaultKind, int]
    """How often something went wrong, by kind."""
    findings: list[Finding]
    moods: list[MoodHour]
    """What was felt at the end of each hour."""
    standings: list[Standing]
    """How those who spoke to each other stand in the end, by handle."""
    hours: list[Hour]
    cascades: Cascades
    answers: list[Answers]
    people: list[Person]
    utterances: list[Utterance]

    @property
    def is_sound(self) -> bool:
        """Whether every promise was kept."""
        return all(finding.is_kept for finding in self.findings)


def read_report(file: Path) -> Report:
    """Return the report in a file.

    Raises:
        ConfigurationError: there is none, or it is no report of ours.

    """
    try:
        return Report.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigurationError(
            f"{file}: no report of `puppets simulate`: {where}: {first['msg']}"
        ) from error
