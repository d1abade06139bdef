"""The ways of speaking that the brain commands: one file in `voices/` each, and what all share."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from puppet_engine.world.brain.grammar import Rules
from puppet_engine.world.brain.reading import Speaker

PLAIN: Final = "plain"
"""The voice of whoever shows no other; its rules are also what the others fall back on."""


@dataclass(frozen=True)
class Voice:
    """One way of speaking."""

    name: str
    signs: tuple[str, ...]
    """Beginnings of words that describe somebody who speaks like this."""
    emojis: tuple[str, ...]
    rules: Rules


@cache
def voices() -> Mapping[str, Voice]:
    """Return all voices by name."""
    folder = files("puppet_engine.world.brain") / "voices"
    found = sorted(
        (it for it in folder.iterdir() if it.name.endswith(".toml")), key=lambda it: it.name
    )
    tables = {it.name.removesuffix(".toml"): tomllib.loads(it.read_text("utf-8")) for it in found}
    plain = tables[PLAIN]["rules"]
    return {
        name: Voice(
            name=name,
            signs=tuple(table.get("signs", ())),
            emojis=tuple(table.get("emojis", ())),
            rules={**plain, **table["rules"]},
        )
        for name, table in tables.items()
    }


@lru_cache(maxsize=256)
def voice_of(speaker: Speaker) -> Voice:
    """Return the voice that a persona's description asks for most."""
    known = voices()
    weights = {name: _weight(voice.signs, speaker) for name, voice in known.items()}
    best = max(sorted(weights), key=weights.__getitem__)
    return known[best if weights[best] else PLAIN]


def _weight(signs: Sequence[str], speaker: Speaker) -> int:
    """Count the signs; how somebody speaks counts more than who they are."""
    if not signs:
        return 0
    sign = re.compile(rf"\b(?:{'|'.join(map(re.escape, signs))})", re.IGNORECASE)
    traits = " ".join((*speaker.traits, *speaker.values))
    counted = ((3, speaker.manner), (2, traits), (1, speaker.about))
    return sum(factor * len(sign.findall(text)) for factor, text in counted)
