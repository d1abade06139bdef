"""What moves an agent: the impulses of what happens to it, and of what it hears of."""

from typing import Any, Final

from puppet_engine.core.minds import Tiding
from puppet_engine.core.models import Event
from puppet_engine.core.moods import Impulse
from puppet_engine.style.sentiment import loudness_of, valence_of

TIDINGS: Final = ("news.", "finding.", "mood.")
"""How the types of events begin of which agents hear, and by which they are moved."""

CARED_FOR: Final = 0.5
"""How much less the words of a stranger move than those of somebody known through and through."""

MOVED_BY: Final = 0.6
"""How far the kindest or cruellest words move somebody who feels everything to the full."""

NOTICED: Final = 0.1
"""How much being spoken to wakes somebody up, whatever is said."""

STIRRED: Final = 0.25
"""How much loud or strong words do on top."""

IGNORED: Final = Impulse(valence=-0.08, arousal=-0.06)
"""What it does that nobody says a word to one's posts, once more."""

IGNORED_AFTER: Final = 2
"""How many posts in a row may stay without a word before it hurts."""

WON, LOST = Impulse(valence=0.4, arousal=0.3), Impulse(valence=-0.4, arousal=0.25)
"""What it does to have sold for more than one paid, or for less."""


def of_words(valence: float, text: str, *, familiarity: float) -> Impulse:
    """Return the impulse of words of such a valence; one cares more for those one knows."""
    care = CARED_FOR + (1 - CARED_FOR) * familiarity
    strength = max(abs(valence), loudness_of(text))
    return Impulse(
        valence=MOVED_BY * valence * care, arousal=(NOTICED + STIRRED * strength) * care
    )


def is_tiding(event_type: str) -> bool:
    """Whether agents hear of events of a type."""
    return event_type.startswith(TIDINGS)


def tiding_of(event: Event) -> Tiding:
    """Return what agents hear of an event.

    Its payload may hold a `topic` (or `title`, or `text`) to be spoken of, and the impulse:
    `valence` and `arousal` from -1 to 1. Without them the impulse is that of the words.
    """
    payload = event.payload
    text = next((str(payload[key]) for key in ("topic", "title", "text") if payload.get(key)), "")
    words = " ".join(str(payload[key]) for key in ("title", "text") if payload.get(key)) or text
    felt = valence_of(words) if words else 0.0
    return Tiding(
        type=event.type,
        text="" if event.type.startswith("mood.") else " ".join(text.split()),
        impulse=Impulse(
            valence=_given(payload, "valence", felt), arousal=_given(payload, "arousal", abs(felt))
        ),
        happened_at=event.due_at,
    )


def _given(payload: dict[str, Any], key: str, otherwise: float) -> float:
    """Return a number out of a payload, as far as a feeling goes; anybody may have written it."""
    value = payload.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return otherwise
    return max(-1.0, min(1.0, float(value)))
