"""Whether two reports tell of the same life, and where they part."""

from puppet_engine.core.models import Noun
from puppet_engine.simulation.digests import first_difference
from puppet_engine.simulation.report import Report


class Comparison(Noun):
    """How a life compares with one that was lived before."""

    is_same: bool
    difference: str = ""
    """Where the two part, in words; empty when they do not."""


def compare(before: Report, after: Report) -> Comparison:
    """Return whether `after` is the life of `before`; the first utterance or hour if not."""
    if before.digest == after.digest:
        return Comparison(is_same=True)
    return Comparison(is_same=False, difference=_difference(before, after))


def _difference(before: Report, after: Report) -> str:
    place = first_difference(before.utterances, after.utterances)
    if place is not None:
        return (
            f"utterance {place + 1} is another one.\n"
            f"  before: {_utterance(before, place)}\n"
            f"  now:    {_utterance(after, place)}"
        )
    hour = first_difference(before.happened_by_hour, after.happened_by_hour)
    if hour is not None:
        return (
            "the same was said, but something else happened, "
            f"for the first time on day {hour // 24 + 1} in hour {hour % 24 + 1}."
        )
    day = first_difference(before.said_by_day, after.said_by_day)
    if day is not None:
        return (
            f"the report before was changed: its digest of day {day + 1} is not of its own words."
        )
    return "the report before was changed: its digest is not that of its own parts."


def _utterance(report: Report, place: int) -> str:
    if place >= len(report.utterances):
        return "(nothing more was said)"
    said = report.utterances[place]
    answer = f" to {said.in_reply_to}" if said.in_reply_to else ""
    return f"{said.at:%Y-%m-%d %H:%M:%S} @{said.handle}{answer}: {said.text}"
