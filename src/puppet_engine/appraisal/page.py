"""The page of an appraisal: one file that needs nothing else, in light and dark."""

from functools import cache

from jinja2 import Template
from markupsafe import Markup

from puppet_engine.appraisal.charts import course, dots, levels, swing
from puppet_engine.appraisal.report import Appraisal
from puppet_engine.measures.drift import LIMIT, SOON
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
        moods={handle: swing(values) for handle, values in found.mood.courses.items() if values},
        answered=dots(
            [
                (
                    band.affinity,
                    band.answered,
                    f"affinity {band.affinity:.2f}: {band.answered:+.1%}",
                )
                for band in found.relationships.bands
            ]
        ),
        variety=levels(found.population.variety, highest=1, what="part"),
        largest_delta=max((max(row) for row in found.population.deltas), default=1),
    )


def _small(found: Timing) -> dict[str, Markup]:
    return {
        handle: levels(bins, what="twentieth") for handle, bins in found.bins.items() if any(bins)
    }


@cache
def _template() -> Template:
    return environment("puppet_engine.appraisal").get_template("measures.html")
