"""From a rehearsal to the verdicts: every measure, over what was said and felt."""

import time
from collections.abc import Callable, Sequence

from puppet_engine.appraisal.rehearsal import Rehearsal, rehearse_cast
from puppet_engine.appraisal.report import Appraisal
from puppet_engine.core.models import AgentConfig
from puppet_engine.measures.authorship import authorship
from puppet_engine.measures.drift import drift
from puppet_engine.measures.population import population
from puppet_engine.measures.repetition import repetition
from puppet_engine.measures.style import style
from puppet_engine.personas.handles import handle_of
from puppet_engine.simulation.life import Progress


async def rehearse_and_appraise(
    cast: Sequence[AgentConfig], *, days: float, seed: int, progress: Callable[[Progress], None]
) -> Appraisal:
    """Let a cast live some virtual days, and measure what came of it."""
    began = time.process_time()
    lived = await rehearse_cast(cast, days=days, seed=seed, progress=progress)
    return appraise(lived, lived_seconds=time.process_time() - began)


def appraise(lived: Rehearsal, *, lived_seconds: float) -> Appraisal:
    """Measure a rehearsal. Pure, but for the time that it takes."""
    began = time.process_time()
    cast = [(handle_of(config), config) for config in lived.cast]
    texts = {
        handle: [one.text for one in lived.said if one.handle == handle] for handle, _ in cast
    }
    found = {
        "style": style(cast, texts),
        "repetition": repetition(texts),
        "authorship": authorship(texts),
        "drift": drift(texts),
        "population": population(texts, [one.text for one in lived.said]),
    }
    return Appraisal.model_validate(
        {
            "days": lived.days,
            "seed": lived.seed,
            "handles": [handle for handle, _ in cast],
            "texts": len(lived.said),
            "digest": lived.digest,
            "lived_seconds": round(lived_seconds, 1),
            "measured_seconds": round(time.process_time() - began, 1),
            **found,
        }
    )
