"""The page of an appraisal: one file that needs nothing else, in light and dark."""

from functools import cache

from jinja2 import Template

from puppet_engine.appraisal.charts import course, levels
from puppet_engine.appraisal.report import Appraisal
from puppet_engine.measures.drift import LIMIT, SOON
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
        variety=levels(found.population.variety, highest=1, what="part"),
        largest_delta=max((max(row) for row in found.population.deltas), default=1),
    )


@cache
def _template() -> Template:
    return environment("puppet_engine.appraisal").get_template("measures.html")
