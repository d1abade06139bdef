"""What a language model is told of how somebody feels, and of how they stand with others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from puppet_engine.core.moods import MoodState
from puppet_engine.core.relationships import Relationship


@dataclass(frozen=True, kw_only=True)
class Disposition:
    """How somebody is disposed when they write, as lines of a prompt."""

    feeling: Sequence[str] = ()
    """The mood."""
    standing: Sequence[str] = ()
    """How they stand with whom they address."""


INDIFFERENT: Final = Disposition()

_VALENCE: Final = (
    (-0.6, "miserable"),
    (-0.25, "low"),
    (0.25, "neither glad nor sad"),
    (0.6, "glad"),
    (1.0, "very glad"),
)
_AROUSAL: Final = (
    (-0.6, "half asleep"),
    (-0.25, "slow"),
    (0.25, "awake"),
    (0.6, "lively"),
    (1.0, "stirred up"),
)
_FAMILIARITY: Final = (
    (0.1, "hardly know them"),
    (0.4, "know them a little"),
    (0.7, "know them well"),
    (1.0, "know them through and through"),
)
_AFFINITY: Final = (
    (-0.5, "cannot stand them"),
    (-0.15, "do not like them much"),
    (0.15, "have no feelings about them"),
    (0.5, "like them"),
    (1.0, "are very fond of them"),
)
_TRUST: Final = (
    (-0.4, "do not believe a word of theirs"),
    (-0.1, "are wary of them"),
    (0.25, "neither trust nor distrust them"),
    (1.0, "trust them"),
)


def disposition_of(
    name: str, mood: MoodState, relationship: Relationship | None = None
) -> Disposition:
    """Return what a prompt tells of a mood of that name, and of a relationship, if any."""
    standing = () if relationship is None else standing_told(relationship)
    return Disposition(feeling=mood_told(name, mood), standing=standing)


def mood_told(name: str, mood: MoodState) -> list[str]:
    """Return the lines of a prompt that tell a mood; its tone is to show it, not its words."""
    feels = f"{name}: {_worded(_VALENCE, mood.valence)}, {_worded(_AROUSAL, mood.arousal)}"
    return [
        f"{feels} (valence {mood.valence:+.2f}, arousal {mood.arousal:+.2f})",
        "Let it show in how you say things. Do not speak of it.",
    ]


def standing_told(known: Relationship) -> list[str]:
    """Return the lines of a prompt that tell how somebody stands with whom they address."""
    words = (
        _worded(_FAMILIARITY, known.familiarity),
        _worded(_AFFINITY, known.affinity),
        _worded(_TRUST, known.trust),
    )
    stands = f"You {words[0]}, {words[1]} and {words[2]}"
    lately = (f"Lately: {reason.what}" for reason in known.reasons[:2])
    return [f"{stands} (affinity {known.affinity:+.2f})", *lately]


def _worded(scale: Sequence[tuple[float, str]], value: float) -> str:
    return next((words for end, words in scale if value <= end), scale[-1][1])
