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


def levels(shares: Sequence[float], *, highest: float | None = None, what: str = "") -> Markup:
    """Return bars side by side, the highest as high as the picture."""
    top = highest or max(shares, default=0) or 1
    bars = [
        Markup(
            '<rect class="plain" x="{x}" y="{y}" width=".84" height="{h}">'
            "<title>{title}</title></rect>"
        ).format(
            x=f"{place + 0.08:g}",
            y=f"{_HEIGHT * (1 - share / top):.2f}",
            h=f"{_HEIGHT * share / top:.2f}",
            title=f"{what} {place + 1}: {share:,.4g}".strip(),
        )
        for place, share in enumerate(shares)
    ]
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        "{bars}</svg>"
    ).format(width=max(1, len(shares)), height=f"{_HEIGHT:g}", bars=Markup().join(bars))


def dots(points: Sequence[tuple[float, float, str]], *, low: float, high: float) -> Markup:
    """Return points (x from `low` to `high`, y from 0 to 1) with what each one is."""
    marks = [
        Markup('<circle cx="{x:.2f}" cy="{y:.2f}" r="1.3"><title>{title}</title></circle>').format(
            x=100 * (x - low) / (high - low), y=_HEIGHT * (1 - y), title=title
        )
        for x, y, title in points
    ]
    return Markup(
        '<svg viewBox="-2 -2 104 104" role="img" aria-label="points">'
        '<path class="limit" d="M0 100H100M0 0V100"/><g class="marks">{marks}</g></svg>'
    ).format(marks=Markup().join(marks))
