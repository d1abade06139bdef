"""A persona lives a year among visitors: what it keeps, and how well it recalls, levels off."""

from pathlib import Path

import pytest

from puppet_engine.appraisal.year import ROOM, live_a_year
from puppet_engine.measures.reading import hold
from puppet_engine.personas.reader import read_personas
from puppet_engine.simulation.life import Progress

CAST = Path(__file__).parents[2] / "config/agents"


def nobody_watches(_: Progress) -> None:
    """See nothing of how far it has come."""


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_year_of_one_persona_levels_off() -> None:
    config = next(one for one in read_personas(CAST) if one.id == "delphine")

    found = await live_a_year(config, days=365, seed=7, progress=nobody_watches)

    assert len(found.months) == 12
    assert found.months[-1].memories > 0.8 * ROOM
    assert hold(found.readings), [one for one in found.readings if not one.holds]
