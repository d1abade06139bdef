"""What a question names besides its words: people, and spans of time."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAYS: Final = (
    *("monday", "tuesday", "wednesday", "thursday", "friday"),
    *("saturday", "sunday"),
)

_AMBIGUOUS: Final = ("may", "march")
"""Names of months that are other words, too."""

_DAY: Final = timedelta(days=1)
_MONTH: Final = rf"(?P<month>{'|'.join(f'{name}|{name[:3]}' for name in MONTHS)})\b\.?"
_YEAR: Final = r"(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?"
_NUMBER: Final = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_ISO: Final = re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)(?:-(?P<day>\d\d))?\b")
_DAY_MONTH: Final = re.compile(rf"\b{_NUMBER}\s+(?:of\s+)?{_MONTH}{_YEAR}", re.IGNORECASE)
_MONTH_DAY: Final = re.compile(rf"\b{_MONTH}\s+{_NUMBER}\b{_YEAR}", re.IGNORECASE)
# Without a day, "may" and "march" are words like others, unless something says it is a month.
_IN_MONTH: Final = re.compile(
    rf"\b(?:in|during|since|last|this|early|late|mid)\s+{_MONTH}{_YEAR}", re.IGNORECASE
)
_IN_YEAR: Final = re.compile(r"\b(?:in|during|of)\s+(?P<year>(?:19|20)\d\d)\b(?!-)", re.IGNORECASE)
_WEEKDAY: Final = re.compile(rf"\b(?P<weekday>{'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
_AGO: Final = re.compile(
    r"\b(?P<count>\d{1,3}|a|one|two|three)\s+(?P<unit>day|week|month)s?\s+ago"
)
_COUNTS: Final = {"a": 1, "one": 1, "two": 2, "three": 3}
_UNITS: Final = {"day": _DAY, "week": 7 * _DAY, "month": 30 * _DAY}
_RELATIVE: Final = {
    "today": (0, 1),
    "this morning": (0, 1),
    "tonight": (0, 1),
    "yesterday": (1, 1),
    "last night": (1, 1),
    "this week": (6, 7),
    "last week": (13, 13),
    "last month": (60, 60),
}
"""How many days before today a span begins, and how many days it lasts."""

_USER: Final = "user"
"""Who speaks of themselves in a chat whose speakers are roles, not names."""
_OF_ONESELF: Final = frozenset({"i", "me", "my", "mine"})
_OF_THE_OTHER: Final = frozenset({"you", "your", "yours"})

_WORD: Final = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_TOLD: Final = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|weekend|ago|since|the other day|the first"
    r"|(?:last|next|this) (?:week|month|year|night|spring|summer|autumn|fall|winter)"
    rf"|{'|'.join(WEEKDAYS)}|{'|'.join(month for month in MONTHS if month not in _AMBIGUOUS)}"
    rf"|(?:in|last|this|next|early|late|mid) (?:may|march)|{_NUMBER} (?:may|march))\b"
    r"|\b(?:19|20)\d\d\b",
    re.IGNORECASE,
)
"""How talks tell when something was, or will be."""


class Span(NamedTuple):
    """From `begin` up to, and without, `end`."""

    begin: datetime
    end: datetime

    def nearness(self, moment: datetime) -> float:
        """Return 1 for a moment within, less for one beside, 0 for one that is far off.

        What is said of a day is mostly said on it or soon after it.
        """
        if self.begin <= moment < self.end:
            return 1.0
        beside = self.begin - moment if moment < self.begin else moment - self.end
        width = max(self.end - self.begin, _DAY)
        return max(0.0, 0.5 * (1 - beside / (2 * width)))


@dataclass(frozen=True, slots=True)
class Cues:
    """Whom a question names, of those who spoke, and of when it asks."""

    people: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = field(default=())

    def nearness(self, moment: datetime) -> float:
        """Return how near a moment is to what was asked of; 0 where no time was named."""
        return max((span.nearness(moment) for span in self.spans), default=0.0)


def cues(question: str, *, speakers: Collection[str], now: datetime) -> Cues:
    """Return what a question names; `speakers` are those it can name, in lower case."""
    named = {word.casefold() for word in _WORD.findall(question)}
    people = frozenset(
        speaker for speaker in speakers if speaker in named or _first(speaker) in named
    )
    if not people and _USER in speakers and named & _OF_ONESELF and not named & _OF_THE_OTHER:
        people = frozenset({_USER})
    return Cues(people=people, spans=spans(question, now))


def _first(speaker: str) -> str:
    """Return the first part of a name: `bob` of `bob_smith` and of `bob smith`."""
    parts = re.split(r"[\W_]+", speaker, maxsplit=1)
    return parts[0] if len(parts[0]) > 2 else speaker  # noqa: PLR2004 - "al", "jo" are too short


def tells_time(text: str) -> bool:
    """Tell whether a text says when something was, or will be."""
    return _TOLD.search(text) is not None


def spans(question: str, now: datetime) -> tuple[Span, ...]:
    """Return the spans of time that a question names, seen from `now`."""
    return tuple(_spans(question, now))


def _spans(question: str, now: datetime) -> Iterator[Span]:
    for pattern in (_ISO, _DAY_MONTH, _MONTH_DAY, _IN_MONTH):
        for match in pattern.finditer(question):
            if (span := _calendar(match, now)) is not None:
                yield span
    for match in _IN_YEAR.finditer(question):
        year = int(match["year"])
        begin = _midnight(now).replace(year=year, month=1, day=1)
        yield Span(begin, begin.replace(year=year + 1))
    yield from _relative(question.casefold(), _midnight(now))


def _relative(question: str, today: datetime) -> Iterator[Span]:
    for words, (before, days) in _RELATIVE.items():
        if words in question:
            begin = today - before * _DAY
            yield Span(begin, begin + days * _DAY)
    for match in _AGO.finditer(question):
        count = match["count"]
        unit = _UNITS[match["unit"]]
        begin = today - (_COUNTS.get(count) or int(count)) * unit
        yield Span(begin, begin + unit)
    for match in _WEEKDAY.finditer(question):
        back = (today.weekday() - WEEKDAYS.index(match["weekday"])) % 7 or 7
        yield Span(today - back * _DAY, today - (back - 1) * _DAY)


def _calendar(match: re.Match[str], now: datetime) -> Span | None:
    """Return the day or month of a date; without a year, the last one that was."""
    found = match.groupdict()
    written = str(found["month"]).casefold()
    month = int(written) if written.isdigit() else _month(written)
    if not 1 <= month <= len(MONTHS):
        return None
    year = int(found["year"]) if found.get("year") else now.year - (month > now.month)
    length = monthrange(year, month)[1]
    begin = _midnight(now).replace(year=year, month=month, day=1)
    if not found.get("day"):
        return Span(begin, begin + length * _DAY)
    day = int(found["day"])
    if not 1 <= day <= length:
        return None
    return Span(begin + (day - 1) * _DAY, begin + day * _DAY)


def _month(written: str) -> int:
    return 1 + next(place for place, name in enumerate(MONTHS) if name.startswith(written[:3]))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
