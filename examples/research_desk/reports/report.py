"""The report: the same findings as a text, a page and a picture."""

import base64
from pathlib import Path
from typing import Final, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from examples.research_desk.analysis.scoring import BUY_FROM, SELL_TO, Analysis, Recommendation
from examples.research_desk.market.base import PriceHistory
from examples.research_desk.reports.chart import DARK, price_chart

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Report(TypedDict):
    """What people read of a piece of research."""

    title: str
    summary: str
    recommendation: Recommendation
    markdown: str
    html: str
    chart: bytes
    """PNG."""


class ReportFiles(TypedDict):
    """Where the files of a report lie."""

    html: str
    markdown: str
    chart: str


def write_report(analysis: Analysis, history: PriceHistory) -> Report:
    """Return the report on what an analysis found in the prices."""
    title = f"{analysis['ticker']}: {analysis['recommendation']}"
    summary = _summary(analysis)
    told = {
        "title": title,
        "summary": summary,
        "analysis": analysis,
        "buy_from": BUY_FROM,
        "sell_to": SELL_TO,
        "first": history.closes[0].day,
        "price": f"{history.last.price:,.2f} {history.currency}",
    }
    chart = price_chart(history)
    pictures = {
        "wide": _embedded(chart),
        "wide_dark": _embedded(price_chart(history, DARK)),
        "narrow": _embedded(price_chart(history, narrow=True)),
        "narrow_dark": _embedded(price_chart(history, DARK, narrow=True)),
    }
    return Report(
        title=title,
        summary=summary,
        recommendation=analysis["recommendation"],
        markdown=_TEMPLATES.get_template("report.markdown").render(told),
        html=_TEMPLATES.get_template("report.html").render(told, pictures=pictures),
        chart=chart,
    )


def store_report(report: Report, folder: Path) -> ReportFiles:
    """Write the files of a report into a folder, each of them whole or not at all.

    Raises:
        OSError: they cannot be written.

    """
    folder.mkdir(parents=True, exist_ok=True)
    page, text, chart = (folder / name for name in ("report.html", "report.md", "chart.png"))
    _store(chart, report["chart"])
    _store(text, report["markdown"].encode())
    _store(page, report["html"].encode())
    return ReportFiles(html=str(page), markdown=str(text), chart=str(chart))


def _store(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(f"{path.suffix}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _summary(analysis: Analysis) -> str:
    components = sorted(analysis["components"], key=lambda one: one["value"])
    weakest, strongest = components[0], components[-1]
    return (
        f"{analysis['ticker']} scores {analysis['score']:.2f} of 1: {analysis['recommendation']}. "
        f"Best: {_lowered(strongest['title'])} ({strongest['shown']}). "
        f"Worst: {_lowered(weakest['title'])} ({weakest['shown']})."
    )


def _lowered(title: str) -> str:
    """Return a title as it stands within a sentence: abbreviations stay."""
    return title if title[:2].isupper() else title[0].lower() + title[1:]


def _embedded(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
