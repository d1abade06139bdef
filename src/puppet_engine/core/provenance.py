"""Where a memory comes from, how far it is to be trusted, and what it has to do with others."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from puppet_engine.core.nouns import Noun


class Trust(StrEnum):
    """How far what a memory says is to be trusted, by whose words it is."""

    SELF = "self"
    """The agent said or did it."""
    OPERATOR = "operator"
    """A persona file, or whoever runs the engine, has given it."""
    ACQUAINTANCE = "acquaintance"
    """Somebody said it whom the persona knows."""
    STRANGER = "stranger"
    DERIVED = "derived"
    """The agent made it of other memories, which it cites."""

    @property
    def is_hearsay(self) -> bool:
        """Whether others have said it."""
        return self in (Trust.ACQUAINTANCE, Trust.STRANGER)


class LinkKind(StrEnum):
    """What one memory has to do with another."""

    CITES = "cites"
    """It was made of the other."""
    SUPERSEDES = "supersedes"
    """It says what has become of what the other says."""
    CONTRADICTS = "contradicts"
    """Both cannot be true."""
    RECALLED_FROM = "recalled_from"
    """It was said when the other came to mind."""


class MemoryLink(Noun):
    """From one memory to another."""

    kind: LinkKind
    to: str
    """The id of the other memory."""


class Disagreement(Noun):
    """Two memories of which one says otherwise than the other."""

    kind: LinkKind
    """`supersedes`: it has changed since; `contradicts`: both cannot be true."""
    memory: str
    """The id of the one that is right now, or was said later."""
    other: str


class Reason(StrEnum):
    """Why something is kept apart from what an agent remembers."""

    DUPLICATE = "duplicate"
    """It was said before, word by word or nearly so."""
    LOOP = "loop"
    """The same is said in a talk again and again."""
    ECHO = "echo"
    """The agent's own words come back to it."""
    SECRET = "secret"  # noqa: S105 - the name of a reason
    """It holds what looks like a key, a token or a password."""
    INSTRUCTION = "instruction"
    """A stranger tells the agent what to be or to do, as one would tell a machine."""


_BY_SOURCE: Final = {
    "self": Trust.SELF,
    "chain": Trust.SELF,
    "network": Trust.STRANGER,
    "persona": Trust.OPERATOR,
    "derived": Trust.DERIVED,
}


def trust_of(metadata: Mapping[str, Any]) -> Trust:
    """Return what the metadata of a memory say of its trust: by `trust`, or else by `source`.

    What says nothing was given by whoever runs the engine.
    """
    told = metadata.get("trust")
    if isinstance(told, str) and told in set(Trust):
        return Trust(told)
    return _BY_SOURCE.get(str(metadata.get("source", "")), Trust.OPERATOR)
