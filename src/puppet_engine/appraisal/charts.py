"""The pictures of an appraisal, as SVG without a script: pure functions of figures."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

_HEIGHT: Final = 100.0


def course(totals: Sequence[float], *, planted: int, limit: float) -> Markup:
    """Return a sum after each text, with the text from which on they are somebody else's."""
    top = max(limit * 1.25, *totals, 1)
    points = " ".join(
        f"{place},{_HEIGHT * (1 - total / top):.1f}" for place, total in enumerate(totals)
    )
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="planted" x="{planted}" y="0" width="{rest}" height="{height}"/>'
        '<path class="limit" d="M0 {limit}H{width}"/><polyline class="course" points="{points}"/>'
        "</svg>"
    ).format(
        width=max(1, len(totals) - 1),
        height=f"{_HEIGHT:g}",
        planted=planted,
        rest=max(0, len(totals) - 1 - planted),
        limit=f"{_HEIGHT * (1 - limit / top):.1f}",
        points=points,
    )


def levels(
    shares: Sequence[float],
    *,
    highest: float | None = None,
    titles: Sequence[str] = (),
    expected: Sequence[float] = (),
) -> Markup:
    """Return bars side by side, the highest as high as the picture, and steps beside them."""
    top = highest or max((*shares, *expected), default=0) or 1
    steps = "".join(
        f"{'L' if place else 'M'}{place} {_HEIGHT * (1 - share / top):.2f}h1"
        for place, share in enumerate(expected)
    )
    bars = [
        Markup(
            '<rect class="plain" x="{x}" y="{y}" width=".84" height="{h}">'
            "<title>{title}</title></rect>"
        ).format(
            x=f"{place + 0.08:g}",
            y=f"{_HEIGHT * (1 - share / top):.2f}",
            h=f"{_HEIGHT * share / top:.2f}",
            title=f"{titles[place] if place < len(titles) else place + 1}: {share:,.4g}",
        )
        for place, share in enumerate(shares)
    ]
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        '{bars}<path class="course" d="{steps}"/></svg>'
    ).format(
        width=max(1, len(shares)), height=f"{_HEIGHT:g}", bars=Markup().join(bars), steps=steps
    )


def between(low: float, glad: float) -> Markup:
    """Return where two values lie on a line from -1 to 1, and which of them is the first."""
    here, there = (150 * (1 + value) for value in (low, glad))
    return Markup(
        '<svg class="between" viewBox="0 0 300 24" aria-hidden="true">'
        '<path class="limit" d="M0 12H300M150 2V22"/><path class="course" d="M{here} 12H{there}"/>'
        '<circle class="low" cx="{here}" cy="12" r="5"/><circle class="glad" cx="{there}" cy="12" '
        'r="5"/></svg>'
    ).format(here=f"{here:.1f}", there=f"{there:.1f}")


def swing(values: Sequence[float]) -> Markup:
    """Return values from -1 to 1, one after the other, around the line of 0."""
    points = " ".join(
        f"{place},{_HEIGHT * (1 - value) / 2:.1f}" for place, value in enumerate(values)
    )
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="limit" d="M0 {middle}H{width}"/>'
        '<polyline class="course" points="{points}"/></svg>'
    ).format(
        width=max(1, len(values) - 1),
        height=f"{_HEIGHT:g}",
        middle=f"{_HEIGHT / 2:g}",
        points=points,
    )


def dots(points: Sequence[tuple[float, float, str]]) -> Markup:
    """Return points, each with what it is; the picture is as wide and high as they need."""
    left, right = _ends([x for x, _, _ in points])
    bottom, top = _ends([y for _, y, _ in points])
    marks = [
        Markup('<circle cx="{x:.2f}" cy="{y:.2f}" r="2.2"><title>{title}</title></circle>').format(
            x=3 * _HEIGHT * (x - left) / (right - left),
            y=_HEIGHT * (top - y) / (top - bottom),
            title=title,
        )
        for x, y, title in points
    ]
    return Markup(
        '<svg viewBox="-4 -4 308 108" role="img" aria-label="points">'
        '<path class="limit" d="M0 100H300M0 0V100"/><g class="marks">{marks}</g></svg>'
    ).format(marks=Markup().join(marks))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)
