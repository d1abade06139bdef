"""The page of a report: one file that needs nothing else, in light and dark."""

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template

from puppet_engine.simulation.charts import (
    Affinities,
    histogram,
    hue,
    mood_over_time,
    ring_of_people,
    talk_over_time,
)
from puppet_engine.simulation.meter import X_PRICES
from puppet_engine.simulation.report import Report
from puppet_engine.simulation.scenario import FIRST_MOMENT

PAIRS_SHOWN: Final = 12


def write_page(report: Report, file: Path) -> None:
    """Write the page of a report. Raises `OSError`."""
    file.write_text(page(report), encoding="utf-8")


def page(report: Report) -> str:
    """Return the page of a report."""
    callings = sorted({person.calling for person in report.people})
    return _template().render(
        report=report,
        first=FIRST_MOMENT,
        talk=talk_over_time(report.hours),
        sizes=histogram(report.cascades.sizes, "size"),
        depths=histogram(report.cascades.depths, "depth"),
        ring=ring_of_people(report.people, report.answers, _affinities(report)),
        mood=mood_over_time(report.moods),
        callings=[(calling, hue(calling, callings)) for calling in callings],
        pairs=report.answers[:PAIRS_SHOWN],
        x_prices=X_PRICES,
    )


def _affinities(report: Report) -> Affinities:
    spelt = {person.handle.lower(): person.handle for person in report.people}
    return {(one.who, spelt.get(one.whom, one.whom)): one.affinity for one in report.standings}


@cache
def _template() -> Template:
    return environment("puppet_engine.simulation").get_template("report.html")


def environment(package: str) -> Environment:
    """Return what renders the templates of a package, beside the ones of this: `paper.css`."""
    return Environment(
        loader=ChoiceLoader(
            [PackageLoader(package), PackageLoader("puppet_engine.simulation")],
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
