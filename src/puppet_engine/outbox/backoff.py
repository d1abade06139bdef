"""How long to wait before something is tried again."""

import random
from datetime import timedelta


def full_jitter(
    failures: int, *, first: timedelta, longest: timedelta, chance: random.Random
) -> timedelta:
    """Return a random wait of at most `first`, doubled with each further failure, up to `longest`.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    doublings = min(max(failures, 1) - 1, 32)
    ceiling: timedelta = first * (1 << doublings)
    return min(longest, ceiling) * chance.random()
