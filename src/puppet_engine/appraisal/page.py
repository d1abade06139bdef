"""The page of an appraisal: one file that needs nothing else, in light and dark."""

from collections.abc import Sequence
from functools import cache

from jinja2 import Template
from markupsafe import Markup

from puppet_engine.appraisal.charts import between, course, dots, levels, swing
from puppet_engine.appraisal.report import Appraisal
from puppet_engine.measures.drift import LIMIT, SOON
from puppet_engine.measures.population import Crowd
from puppet_engine.measures.relationships import Band
from puppet_engine.measures.timing import Timing
from puppet_engine.simulation.page import environment


def page(found: Appraisal) -> str:
    """Return the page of an appraisal."""
    courses = {
        handle: course(totals, planted=found.drift.planted[handle], limit=LIMIT)
        for handle, totals in found.drift.courses.items()
    }
    return _template().render(
        found=found,
        verdicts=found.verdicts,
        courses=courses,
        soon=SOON,
        post_times=_small(found.post_times),
        answer_times=_small(found.answer_times),
        post_times_highest=_highest(found.post_times),
        answer_times_highest=_highest(found.answer_times),
        weeks_highest={
            handle: f"{max((*seen, *found.week.expected[handle])):.0%}"
            for handle, seen in found.week.seen.items()
        },
        interests_highest={
            handle: f"{max(counts.values(), default=0)}"
            for handle, counts in found.topics.counts.items()
        },
        moods={handle: swing(values) for handle, values in found.mood.courses.items() if values},
        **_answered(found.relationships.bands),
        weeks={
            handle: levels(
                seen,
                expected=found.week.expected[handle],
                titles=[f"{hour}:00" for hour in range(24)],
            )
            for handle, seen in found.week.seen.items()
            if any(seen)
        },
        shifts={handle: between(*both) for handle, both in found.showing.shifts.items()},
        talks=levels(
            [found.conversations.sizes.get(size, 0) for size in _sizes(found)],
            titles=[f"{size} posts" for size in _sizes(found)],
        ),
        talks_to=_sizes(found).stop - 1,
        talks_most=max(
            (found.conversations.sizes.get(size, 0) for size in _sizes(found)), default=0
        ),
        interests={
            handle: levels(list(counts.values()), titles=list(counts))
            for handle, counts in found.topics.counts.items()
            if any(counts.values())
        },
        variety=levels(
            found.population.variety,
            highest=1,
            titles=[f"tenth {place + 1}" for place in range(len(found.population.variety))],
        ),
        crowd=None if found.population.crowd is None else _crowd(found.population.crowd),
        largest_delta=max((max(row) for row in found.population.deltas), default=1),
    )


def _crowd(found: Crowd) -> Markup:
    step = found.farthest / len(found.own)
    titles = [f"Delta {at * step:.2f} to {(at + 1) * step:.2f}" for at in range(len(found.own))]
    return levels(found.own, expected=found.others, titles=titles)


def _answered(bands: Sequence[Band]) -> dict[str, object]:
    affinities = [band.affinity for band in bands] or [0.0]
    shares = [band.answered for band in bands] or [0.0]
    points = [
        (band.affinity, band.answered, f"affinity {band.affinity:.2f}: {band.answered:+.1%}")
        for band in bands
    ]
    return {
        "answered": dots(points),
        "answered_most": f"{max(shares):+.0%}",
        "answered_least": f"{min(shares):+.0%}",
        "affinity_least": f"{min(affinities):.2f}",
        "affinity_most": f"{max(affinities):.2f}",
    }


def _sizes(found: Appraisal) -> range:
    """Return the sizes of conversations, from two on: most posts stay alone."""
    return range(2, max(found.conversations.sizes, default=1) + 1)


def _highest(found: Timing) -> dict[str, str]:
    return {handle: f"{max(bins)}" for handle, bins in found.bins.items()}


def _small(found: Timing) -> dict[str, Markup]:
    return {
        handle: levels(
            bins,
            expected=[sum(bins) / len(bins)] * len(bins),
            titles=[f"{at / len(bins):g} to {(at + 1) / len(bins):g}" for at in range(len(bins))],
        )
        for handle, bins in found.bins.items()
        if any(bins)
    }


@cache
def _template() -> Template:
    return environment("puppet_engine.appraisal").get_template("measures.html")
