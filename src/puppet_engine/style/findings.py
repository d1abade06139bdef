"""What is wrong with a text: which rule, why, where, and what helps."""

from collections.abc import Callable, Iterable

from puppet_engine.core.nouns import Noun
from puppet_engine.style.weight import Span

LONGEST_EXCERPT = 60


class Violation(Noun):
    """One rule that a text does not keep."""

    rule: str
    """Its name, as `formatting.emojis`."""
    reason: str
    start: int
    end: int
    """Where in the text: from the character `start` to the one before `end`."""
    excerpt: str
    """What stands there, shortened; nothing for a finding that must not be repeated."""
    cure: str
    is_hard: bool = True
    """A hard rule is never broken; a soft one gives way when nothing better is to be had."""

    def line(self) -> str:
        """Return all of it as people and models read it."""
        where = f" at {self.start}-{self.end}: {self.excerpt!r}" if self.excerpt else ""
        return f"{self.rule}: {self.reason}{where}; {self.cure}"


Check = Callable[[str], Iterable[Violation]]
"""Finds what breaks one rule in a text."""


def violation(
    rule: str, reason: str, cure: str, *, text: str, span: Span | None = None, is_hard: bool = True
) -> Violation:
    """Return a violation by what stands at `span` of a text, or by the whole of it."""
    start, end = span or (0, len(text))
    found = text[start:end]
    cut = found if len(found) <= LONGEST_EXCERPT else f"{found[: LONGEST_EXCERPT - 1]}…"
    return Violation(
        rule=rule, reason=reason, cure=cure, start=start, end=end, excerpt=cut, is_hard=is_hard
    )
