"""What an account's own page says of somebody: who it is, and that a program speaks."""

from typing import Final

from puppet_engine.core.models import AgentConfig

BIO_CHARACTERS: Final = 160
"""The longest bio that X takes; other networks take more."""


def bio_of(config: AgentConfig, disclosure: str) -> str:
    """Return the bio of a persona; its description gives way to the disclosure."""
    about = " ".join(config.description.split())
    room = BIO_CHARACTERS - len(disclosure) - 1
    if len(about) > room:
        about = about[: room - 1].rsplit(" ", 1)[0].rstrip(",;:- ") + "…"
    return f"{about} {disclosure}".strip()
