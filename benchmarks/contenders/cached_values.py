"""What is looked up in a cache: the same keys and values for everybody."""

from typing import Final

KEYS: Final = 1_000
"""How many different keys there are; each is looked up equally often."""


def key(number: int) -> str:
    """Return one of the keys."""
    return f"reading-{number % KEYS:06}"


def value(number: int) -> dict[str, object]:
    """Return what lies at the key."""
    return {"id": key(number), "rank": number % KEYS, "title": "Reading of the day"}
