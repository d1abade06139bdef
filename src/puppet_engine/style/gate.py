"""The door of one agent: all that is asked of a text before it may leave."""

import json
from collections.abc import Collection, Sequence

from puppet_engine.core.personas import AgentConfig
from puppet_engine.style.findings import Violation
from puppet_engine.style.linter import StyleLinter
from puppet_engine.style.repetition import Likeness, RepetitionGuard
from puppet_engine.style.safety import SafetyFilter


class Gate:
    """Holds the texts of one agent to its style guide, to novelty and to safety."""

    def __init__(
        self,
        config: AgentConfig,
        *,
        secrets: Collection[str] = (),
        likeness: Likeness | None = None,
    ) -> None:
        key = config.solana_integration.private_key
        own = [key.get_secret_value()] if key else []
        self.linter = StyleLinter(config)
        self._guard = RepetitionGuard(likeness)
        self._safety = SafetyFilter(secrets=[*secrets, *own], public=_written_about(config))

    def must_stay(self, text: str) -> list[Violation]:
        """Return what forbids a text by itself, whatever was said before it."""
        return [*self._safety.check(text), *self.linter.hard(text)]

    def judge(self, text: str, *, own: Sequence[str], cast: Sequence[str] = ()) -> list[Violation]:
        """Return all that is wrong with a text; `own` and `cast` are earlier ones, newest first.

        Hard findings first. A text without any may leave; one with soft ones only, at a pinch.
        """
        repeated = self._guard.check(text, own=own, cast=cast)
        found = [*self.must_stay(text), *repeated, *self.linter.soft(text, own)]
        return sorted(found, key=lambda each: not each.is_hard)


def _written_about(config: AgentConfig) -> str:
    """Return all that the operator has written into a persona file, but for its secrets."""
    return json.dumps(
        config.model_dump(mode="json", exclude={"solana_integration"}), ensure_ascii=False
    )
