"""What is allowed to go out at all: rules as data, asked before each attempt."""

from abc import ABC, abstractmethod

from typing_extensions import override

from puppet_engine.core.errors import PolicyError
from puppet_engine.core.models import Intent, IntentKind, Noun


class Policy(ABC):
    """Decides whether an intent may go out."""

    @abstractmethod
    def check(self, intent: Intent) -> None:
        """Return when the intent may go out.

        Raises:
            PolicyError: it may not, ever; the message names the rule.

        """


class Rulebook(Noun, Policy):
    """The rules of one network for one account. By default everything is allowed."""

    network: str = "the network"
    forbidden: frozenset[IntentKind] = frozenset()
    """What the network or the operator forbids: on some, answers."""
    max_characters: int | None = None
    """The longest text the network takes."""

    @override
    def check(self, intent: Intent) -> None:
        """Return when the intent may go out. Raises `PolicyError`."""
        if intent.kind in self.forbidden:
            raise PolicyError(f"{self.network} forbids {intent.kind} to {intent.agent_id!r}")
        length = len(str(intent.payload.get("text", "")))
        if self.max_characters is not None and length > self.max_characters:
            raise PolicyError(
                f"a text of {length} characters is too long for {self.network},"
                f" which takes {self.max_characters}"
            )
