r"""Sentences out of patterns.

A pattern is a text with slots:

| slot          | becomes                                                             |
|---------------|---------------------------------------------------------------------|
| `{verdict}`   | one of the patterns of the rule `verdict`, or a fact of that name    |
| `{x:thing}`   | the same, and from then on `{x}` is what was chosen                 |
| `{thing.a}`   | with its indefinite article                                         |
| `[one\|two]`  | one of these                                                        |

A pattern whose facts are not at hand is passed over. Within one text no pattern
and no fact is used twice, as long as there is another.
"""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Final

Rules = Mapping[str, Sequence[str]]

_SLOT: Final = re.compile(r"\{(?:(\w+):)?(\w+)(?:\.(\w+))?\}")
_CHOICE: Final = re.compile(r"\[([^\[\]]*)\]")


class CannotSayError(LookupError):
    """No pattern of a rule can be filled with the facts at hand."""


class Telling:
    """One text in the making: what was chosen so far is remembered and not chosen again."""

    def __init__(self, rules: Rules, facts: Rules, chance: random.Random) -> None:
        self._rules = rules
        self._facts = facts
        self._chance = chance
        self._used: set[str] = set()
        self._bound: dict[str, str] = {}

    def say(self, rule: str) -> str:
        """Return a text made by `rule`.

        Raises:
            CannotSayError: nothing fits the facts at hand.

        """
        if rule in self._bound:
            return self._bound[rule]
        if rule in self._facts:
            return self._fact(rule)
        for pattern in self._in_turn(self._rules.get(rule, ())):
            used, bound = set(self._used), dict(self._bound)
            try:
                text = self._fill(pattern)
            except CannotSayError:
                self._used, self._bound = used, bound
                continue
            self._used.add(pattern)
            return text
        raise CannotSayError(rule)

    def _in_turn(self, patterns: Sequence[str]) -> list[str]:
        """Return patterns as they should be tried: unused ones first, the most varied mostly."""

        def turn(pattern: str) -> tuple[bool, float]:
            weight = 1 + pattern.count("{")
            return pattern in self._used, -(self._chance.random() ** (1 / weight))

        return sorted(patterns, key=turn)

    def _fact(self, name: str) -> str:
        facts = self._facts[name]
        if not facts:
            raise CannotSayError(name)
        fact = self._chance.choice([it for it in facts if it not in self._used] or list(facts))
        self._used.add(fact)
        return fact

    def _fill(self, pattern: str) -> str:
        plain = _CHOICE.sub(lambda found: self._chance.choice(found[1].split("|")), pattern)
        parts, end = [], 0
        for slot in _SLOT.finditer(plain):
            parts += [plain[end : slot.start()], self._slot(slot)]
            end = slot.end()
        return "".join([*parts, plain[end:]])

    def _slot(self, slot: re.Match[str]) -> str:
        name, rule, form = slot.groups()
        text = self.say(rule)
        if name:
            self._bound[name] = text
        return with_article(text) if form == "a" else text


def with_article(noun: str) -> str:
    """Return the noun with "a" or "an", as it sounds in most words."""
    sounds_open = re.match(r"(?i)(?!uni|use|eu|one|once)[aeiou]|hour|honest|heir", noun)
    return f"{'an' if sounds_open else 'a'} {noun}"
