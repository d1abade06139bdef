"""What is embedded: paragraphs of Python's own reference, short ones and long ones in turn."""

from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import make_url

_SHORTEST = 20
_ALIKE = 0.98
"""The least cosine to the vector of the same text alone: eight bits are rounded by the batch."""


def texts(count: int) -> list[str]:
    """Return so many texts of some 180 characters on average; no two are the same."""
    paragraphs = (
        " ".join(one.split()) for topic in topics.values() for one in topic.split("\n\n")
    )
    found = list(dict.fromkeys(one for one in paragraphs if len(one) >= _SHORTEST))
    return found[:: len(found) // count][:count]


def folder_of(stage: Stage) -> Path:
    """Return the folder that all runs of a size share: there lies the model."""
    return Path(str(make_url(stage.database_url).database)).parent


def compared(stage: Stage, embed: Callable[[list[str]], Any]) -> Trial:
    """Return the trial of what embeds by the model, and must give the vectors that it gives."""

    def check(vectors: Any) -> Facts:
        alone = np.load(folder_of(stage) / "alone.npy")
        cosines = np.sum(np.asarray(vectors) * alone, axis=1)
        return {"texts": len(cosines), "alike": int((cosines > _ALIKE).sum())}

    return warm(stage, embed, check)


def warm(stage: Stage, embed: Callable[[list[str]], Any], check: Callable[[Any], Facts]) -> Trial:
    """Return the trial of what embeds, after it has embedded once."""
    given = texts(stage.size)
    embed(given[:1])
    found: list[Any] = []
    return Trial(work=lambda: found.append(embed(given)), check=lambda: check(found[-1]))
