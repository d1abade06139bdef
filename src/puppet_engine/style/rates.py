"""Soft rules: how often something is done, over the recent texts and not in a single one.

A rate is kept while the number of texts that do it lies between the 2.5 % and the 97.5 %
quantile of the binomial distribution with that rate: outside chance alone is no excuse.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import exp, lgamma, log, log1p
from typing import Final

from puppet_engine.core.style_guides import Formatting
from puppet_engine.style.anatomy import hashtag_spans, without_address
from puppet_engine.style.findings import Violation, violation
from puppet_engine.style.weight import emoji_spans, link_spans, weighted_length

TAIL: Final = 0.025
"""What lies beyond each end of the interval."""

WINDOW: Final = 50
"""Over how many of the last texts, the new one among them, a rate is held."""


@dataclass(frozen=True)
class Rate:
    """In which share of the texts something is done."""

    name: str
    target: float
    does: Callable[[str], bool]
    more: str
    """What to do for more of it."""
    less: str

    def held_over(self, texts: Sequence[str]) -> bool:
        """Return whether the share of texts that do it is within the 95 % interval."""
        low, high = interval(len(texts), self.target)
        return low <= sum(map(self.does, texts)) <= high

    def check(self, text: str, past: Sequence[str]) -> Iterator[Violation]:
        """Yield a finding if a text takes the rate out of its interval, or keeps it there."""
        texts = [text, *past[: WINDOW - 1]]
        low, high = interval(len(texts), self.target)
        done, does = sum(map(self.does, texts)), self.does(text)
        too_many, too_few = done > high and does, done < low and not does
        if too_many or too_few:
            reason = (
                f"{done} of the last {len(texts)} texts do, "
                f"{low} to {high} are what {self.target:.0%} comes to"
            )
            cure = self.less if too_many else self.more
            yield violation(f"rate.{self.name}", reason, cure, text=text, is_hard=False)


@cache
def interval(count: int, rate: float) -> tuple[int, int]:
    """Return the least and the greatest number of successes in the middle 95 % of the binomial.

    The probability of fewer than the least is `TAIL` at the most, and so is that of more.
    """
    low = high = 0
    below = 0.0
    for successes in range(count + 1):
        chance = _probability(successes, count, rate)
        if below <= TAIL:
            low = successes
        high = successes
        below += chance
        if below >= 1 - TAIL:
            break
    return low, high


def _probability(successes: int, count: int, rate: float) -> float:
    if rate in {0, 1}:
        return float(successes == rate * count)
    ways = lgamma(count + 1) - lgamma(successes + 1) - lgamma(count - successes + 1)
    return exp(ways + successes * log(rate) + (count - successes) * log1p(-rate))


def rates_of(form: Formatting) -> list[Rate]:
    """Return the rates that a style guide asks for."""
    asked = (
        ("emojis", form.emoji_rate, lambda text: bool(emoji_spans(text)), "an emoji"),
        ("hashtags", form.hashtag_rate, lambda text: bool(hashtag_spans(text)), "a hashtag"),
        ("links", form.link_rate, lambda text: bool(link_spans(text)), "a link"),
        ("questions", form.question_rate, lambda text: "?" in text, "a question"),
        ("exclamations", form.exclamation_rate, lambda text: "!" in text, "an exclamation"),
    )
    rates = [
        Rate(name, target, does, more=f"put in {what}", less=f"do without {what}")
        for name, target, does, what in asked
        if target is not None
    ]
    return [*rates, *_length_rates(form)]


def _length_rates(form: Formatting) -> Iterator[Rate]:
    if form.length is None:
        return
    for name, share in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75)):
        bound: int = getattr(form.length, name)
        yield Rate(
            f"length.{name}",
            share,
            partial(_within, bound),
            more=f"stay within {bound} characters",
            less=f"say it in more than {bound} characters",
        )


def _within(bound: int, text: str) -> bool:
    return weighted_length(without_address(text)) <= bound
