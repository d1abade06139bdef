"""Medians, their spread, and how a cost grows."""

import math
from collections.abc import Mapping, Sequence
from statistics import linear_regression, median, quantiles

__all__ = ["growth", "median", "middle_half", "spread"]


def spread(values: Sequence[float]) -> float:
    """Return the median distance of the values from their median."""
    middle = median(values)
    return median(abs(value - middle) for value in values)


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """Return the bounds between which the middle half of the values lies."""
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = quantiles(values, n=4, method="inclusive")
    return first, third


def growth(costs: Mapping[int, float]) -> float | None:
    """Return `p` where the cost grows as size to the power of p; None for a single size."""
    if len(costs) < 2:  # noqa: PLR2004 - a line takes two points
        return None
    sizes = [math.log(size) for size in costs]
    return linear_regression(sizes, [math.log(cost) for cost in costs.values()]).slope
