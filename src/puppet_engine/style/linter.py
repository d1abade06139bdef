"""A persona's style guide, compiled: what may be said, and how often."""

from collections.abc import Sequence

from puppet_engine.core.personas import AgentConfig
from puppet_engine.style.checks import hard_checks
from puppet_engine.style.findings import Violation
from puppet_engine.style.rates import rates_of


class StyleLinter:
    """Holds texts to the style guide of one persona. Pure: the same text, the same findings."""

    def __init__(self, config: AgentConfig) -> None:
        self._checks = hard_checks(config)
        self.rates = rates_of(config.style_guide.formatting)

    def hard(self, text: str) -> list[Violation]:
        """Return the hard rules that a text breaks."""
        return [found for check in self._checks for found in check(text)]

    def soft(self, text: str, past: Sequence[str]) -> list[Violation]:
        """Return the rates that a text would take out of their bounds; `past` newest first."""
        return [found for rate in self.rates for found in rate.check(text, past)]
