"""What the measures of a rehearsal came to, as JSON."""

from dataclasses import dataclass

from pydantic import computed_field

from puppet_engine.core.nouns import Noun
from puppet_engine.measures.authorship import Authorship
from puppet_engine.measures.conversations import Conversations
from puppet_engine.measures.drift import Drift
from puppet_engine.measures.mood import Mood
from puppet_engine.measures.population import Population
from puppet_engine.measures.reading import Reading, hold
from puppet_engine.measures.relationships import Relationships
from puppet_engine.measures.repetition import Repetition
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
    drift: Drift
    population: Population
    post_times: Timing
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
                title=title, asks=asks, means=means, readings=getattr(self, name).readings
            )
            for name, title, asks, means in _MEASURES
        }

    @property
    def holds(self) -> bool:
        """Whether every measure holds its line."""
        return all(verdict.holds for verdict in self.verdicts.values())

    def as_json(self) -> str:
        """Return everything in one JSON object, each reading once."""
        told_in_verdicts = {name: {"readings"} for name, *_ in _MEASURES}
        return self.model_dump_json(indent=1, exclude=told_in_verdicts) + "\n"


_MEASURES = (
    (
        "style",
        "Style",
        "Does everybody keep to their style guide?",
        "Every text is held to the persona's hard rules. A rate, as that of emojis, holds while "
        "the number of texts lies where chance puts 95 % of lives with the rate asked for.",
    ),
    (
        "repetition",
        "Repetition",
        "Is anything said again?",
        "Near-duplicates are pairs of texts that share 85 % of their spans of five characters, of "
        "all pairs of the cast. An opening is the first three words.",
    ),
    (
        "authorship",
        "Authorship",
        "Can everybody be told by their words?",
        "A classifier reads the first three quarters of everybody's texts, without names and "
        "capitals, and is asked who wrote each of the rest.",
    ),
    (
        "drift",
        "Drift",
        "Would it be noticed if somebody else spoke?",
        "A watch sums up how unlike a persona each text is. Everybody's texts are replaced by each "
        "other's; the watch must notice within 20 texts, and not suspect who is themselves.",
    ),
    (
        "post_times",
        "Times of posts",
        "Does everybody post when their persona and mood say?",
        "Each wait was drawn from a distribution; so how likely it was to be as short must be "
        "spread evenly from 0 to 1. The probability says how often chance alone is as uneven.",
    ),
    (
        "week",
        "Hours of the week",
        "Does everybody post in their own hours of the day and week?",
        "The hours in which posts came beside the hours that persona and mood make likely, in the "
        "persona's own time zone. The probability says how often chance alone is as far off.",
    ),
    (
        "answer_times",
        "Times of answers",
        "Does everybody take their time to answer?",
        "The same as with the times of posts, for those who do not answer at once.",
    ),
    (
        "mood",
        "Mood",
        "Do moods move and fade as the personas say?",
        "After something moved a mood it fades by half within each half-life; valence goes from "
        "-1, misery, to 1, bliss, and never farther.",
    ),
    (
        "showing",
        "Mood in words and times",
        "Does a mood show in what is said, and when?",
        "In the life, gladder moods must go with gladder words, and livelier ones with shorter "
        "waits. And everybody is asked for the same posts in a glad mood and in a low one.",
    ),
    (
        "relationships",
        "Relationships",
        "Are those answered more who are liked more?",
        "Whatever could have been answered is sorted by affinity into ten bands; the more somebody "
        "is liked the larger the share that is answered must be. Affinity fades while nobody "
        "speaks.",
    ),
    (
        "conversations",
        "Conversations",
        "Do conversations come about, and come to an end?",
        "Two agents that answer each other must stop: nobody may speak more often in one line of "
        "answers than the loop breaker allows.",
    ),
    (
        "topics",
        "Topics",
        "Does everybody speak of all that interests them?",
        "Evenness is 1 when each interest is spoken of as often, and 0 when only one is.",
    ),
    (
        "population",
        "Population",
        "Do the personas stay apart, and their words many?",
        "Burrows's Delta is the distance of two styles, by how often the commonest words come. No "
        "two personas may be as near to each other as one half of their own texts is to the "
        "other.",
    ),
)
"""By the name of each field: its title, what it asks, and what its lines mean."""
