"""The pictures of a report, as SVG without a script: pure functions of figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from puppet_engine.simulation.feelings import MoodHour
from puppet_engine.simulation.report import Person
from puppet_engine.simulation.talk import Answers, Hour

MOST_BARS: Final = 170
"""More would be thinner than a pixel on a phone; several hours then share a bar."""

MOST_LINES: Final = 700
_HEIGHT: Final = 100.0
_LUKEWARM: Final = 0.15
"""Up to which affinity somebody neither likes nor dislikes."""

Affinities = Mapping[tuple[str, str], float]
"""How much one likes another, by both handles."""

_RADIUS: Final = 480.0
_SMALLEST_DOT: Final = 1.0
_LARGEST_DOT: Final = 3.0
"""The radius of somebody whom nobody answers; of few people, and of ever more, less."""

_GROWTH: Final = 11 / 3
"""By how much larger the busiest is than that."""


@dataclass(frozen=True)
class Bars:
    """A chart of bars; what stands around it is HTML, which does not shrink with it."""

    svg: Markup
    highest: int
    each: str
    """What one bar stands for."""
    cut: str = ""
    """Which bar is higher than the chart, and how high it is; empty when none is."""


def talk_over_time(hours: Sequence[Hour]) -> Bars:
    """Return the posts and replies of each hour, one on top of the other."""
    share = max(1, math.ceil(len(hours) / MOST_BARS))
    groups = [hours[at : at + share] for at in range(0, len(hours), share)]
    columns = [
        (sum(hour.posts for hour in group), sum(hour.replies for hour in group))
        for group in groups
    ]
    totals = [sum(column) for column in columns]
    # On the first morning everybody says hello, beside which all other hours would be flat.
    *_, second, first = 0, 0, *sorted(totals)
    highest = second if 0 < second < first / 2 else first
    parts = []
    for place, ((posts, replies), total) in enumerate(zip(columns, totals, strict=True)):
        scale = _HEIGHT / max(1, highest, total)
        title = f"hour {place * share + 1}: {posts} posts, {replies} replies"
        parts.append(
            _bar(place, replies * scale, _HEIGHT - replies * scale, "replies", title)
            + _bar(place, posts * scale, _HEIGHT - total * scale, "posts", title)
        )
    each = "an hour" if share == 1 else f"{share} hours"
    cut = ""
    if first > highest:
        cut = f"that of hour {totals.index(first) * share + 1} is cut: {first:,}"
    return Bars(_framed(parts, len(columns)), highest, each, cut)


def mood_over_time(moods: Sequence[MoodHour]) -> Markup:
    """Return the valence of a population hour by hour, with what eight in ten feel, and arousal.

    The middle of the chart is neither glad nor sad; its ends are 1 and -1.
    """
    width = max(1, len(moods) - 1)
    middle = _HEIGHT / 2

    def line(values: Sequence[float]) -> str:
        return " ".join(
            f"{place:g},{middle - value * middle:.2f}" for place, value in enumerate(values)
        )

    below = reversed(line([hour.low for hour in moods]).split())
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img"'
        ' aria-label="Mood by hour"><polygon class="band" points="{band} {below}"/>'
        '<polyline class="arousal" points="{arousal}"/>'
        '<polyline class="valence" points="{valence}"/></svg>'
    ).format(
        width=width,
        height=f"{_HEIGHT:g}",
        band=line([hour.high for hour in moods]),
        below=" ".join(below),
        arousal=line([hour.arousal for hour in moods]),
        valence=line([hour.valence for hour in moods]),
    )


def histogram(counts: Mapping[int, int], what: str) -> Bars:
    """Return how many there are of each number, on a scale of square roots: few must be seen."""
    last = max(counts, default=0)
    first = min(counts, default=0)
    highest = max(counts.values(), default=0)
    scale = _HEIGHT / math.sqrt(max(1, highest))
    parts = [
        _bar(
            place,
            height := math.sqrt(counts.get(number, 0)) * scale,
            _HEIGHT - height,
            "plain",
            f"{what} {number}: {counts.get(number, 0):,}",
        )
        for place, number in enumerate(range(first, last + 1))
    ]
    return Bars(_framed(parts, last - first + 1), highest, what)


def _bar(place: int, height: float, top: float, kind: str, title: str) -> Markup:
    if not height:
        return Markup()
    return Markup(
        '<rect class="{kind}" x="{x}" y="{y}" width=".82" height="{h}">'
        "<title>{title}</title></rect>"
    ).format(kind=kind, x=f"{place + 0.09:g}", y=f"{top:.2f}", h=f"{height:.2f}", title=title)


def _framed(parts: Sequence[Markup], width: int) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        "{parts}</svg>"
    ).format(width=max(1, width), height=f"{_HEIGHT:g}", parts=Markup().join(parts))


def hue(calling: str, callings: Sequence[str]) -> int:
    """Return the hue, in degrees, that a calling has among all."""
    return round(360 * callings.index(calling) / max(1, len(callings)))


def ring_of_people(
    people: Sequence[Person], answers: Sequence[Answers], affinities: Affinities
) -> Markup:
    """Return everybody on a ring, and a line between those who answered each other.

    A line is warm or cold as the one who answered likes the other, or not.
    """
    callings = sorted({person.calling for person in people})
    places = {person.handle: place for place, person in enumerate(people)}
    points = [_point(place, len(people)) for place in range(len(people))]
    active = _how_active(answers)
    most = max((pair.count for pair in answers), default=1)
    lines = [
        _line(
            points[places[pair.who]],
            points[places[pair.whom]],
            pair,
            most,
            affinities.get((pair.who, pair.whom)),
        )
        for pair in answers[:MOST_LINES]
        if pair.who in places and pair.whom in places and pair.who != pair.whom
    ]
    busiest = max(active.values(), default=1)
    # So that a thousand do not cover each other, and those who are busy stand out.
    smallest = max(_SMALLEST_DOT, min(_LARGEST_DOT, math.pi * _RADIUS / max(1, len(people))))
    dots = [
        _dot(
            point,
            person,
            active.get(person.handle, 0),
            smallest * (1 + _GROWTH * math.sqrt(active.get(person.handle, 0) / max(1, busiest))),
            hue(person.calling, callings),
        )
        for person, point in zip(people, points, strict=True)
    ]
    return Markup(
        '<svg viewBox="-540 -540 1080 1080" role="img" aria-label="Who answers whom">'
        '<g class="lines">{lines}</g><g class="dots">{dots}</g></svg>'
    ).format(lines=Markup().join(lines), dots=Markup().join(dots))


def _point(place: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * place / max(1, count) - math.pi / 2
    return _RADIUS * math.cos(angle), _RADIUS * math.sin(angle)


def _how_active(answers: Sequence[Answers]) -> dict[str, int]:
    active: dict[str, int] = {}
    for pair in answers:
        for handle in (pair.who, pair.whom):
            active[handle] = active.get(handle, 0) + pair.count
    return active


def _line(
    one: tuple[float, float],
    other: tuple[float, float],
    pair: Answers,
    most: int,
    affinity: float | None,
) -> Markup:
    # Bent towards the middle, the more the longer it is, so that neighbours stay at the rim.
    bend = 1 - 0.6 * min(1, math.dist(one, other) / _RADIUS)
    middle = [(here + there) / 2 * bend for here, there in zip(one, other, strict=True)]
    return Markup(
        '<path class="{kind}" d="M{a:.0f} {b:.0f}Q{c:.0f} {d:.0f} {e:.0f} {f:.0f}"'
        ' style="opacity:{o:.2f}">'
        "<title>@{who} answered @{whom} {n} times{likes}</title></path>"
    ).format(
        a=one[0],
        b=one[1],
        c=middle[0],
        d=middle[1],
        e=other[0],
        f=other[1],
        kind=_warmth(affinity),
        likes="" if affinity is None else f", affinity {affinity:+.2f}",
        o=0.18 + 0.6 * pair.count / most,
        who=pair.who,
        whom=pair.whom,
        n=pair.count,
    )


def _warmth(affinity: float | None) -> str:
    if affinity is None or abs(affinity) < _LUKEWARM:
        return "even"
    return "warm" if affinity > 0 else "cold"


def _dot(
    point: tuple[float, float], person: Person, active: int, radius: float, degrees: int
) -> Markup:
    return Markup(
        '<circle cx="{x:.0f}" cy="{y:.0f}" r="{r:.1f}" style="--hue:{hue}">'
        "<title>@{handle}, {calling}: {n} answers given and got</title></circle>"
    ).format(
        x=point[0],
        y=point[1],
        r=radius,
        hue=degrees,
        handle=person.handle,
        calling=person.calling,
        n=active,
    )
