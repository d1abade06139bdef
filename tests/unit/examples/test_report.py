"""The report: one page without anything around it, a text and a picture."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from examples.research_desk.analysis.scoring import Analysis, analyse
from examples.research_desk.market.base import PriceHistory
from examples.research_desk.market.offline import OfflinePrices
from examples.research_desk.reports.chart import DARK, LIGHT, price_chart
from examples.research_desk.reports.report import Report, store_report, write_report

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def history() -> PriceHistory:
    return OfflinePrices().history("AAPL")


@pytest.fixture(scope="module")
def analysis(history: PriceHistory) -> Analysis:
    return analyse(history)


@pytest.fixture(scope="module")
def report(history: PriceHistory, analysis: Analysis) -> Report:
    return write_report(analysis, history)


def test_the_page_needs_nothing_but_itself(report: Report) -> None:
    sources = re.findall(r'(?:src|srcset|href)="([^"]*)"', report["html"])

    assert len(sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "url(" not in report["html"]
    assert "<script" not in report["html"]


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_every_component_of_the_score_is_explained(
    report: Report, analysis: Analysis, form: str
) -> None:
    text = report["html"] if form == "html" else report["markdown"]

    for component in analysis["components"]:
        for part in (component["title"], component["shown"], component["why"]):
            assert part in text
        assert f"{component['contribution']:.3f}" in text
    assert f"{analysis['score']:.3f}" in text
    assert "223.02 USD" in text


def test_the_summary_names_the_score_and_its_best_and_worst_parts(report: Report) -> None:
    assert report["summary"] == (
        "AAPL scores 0.58 of 1: hold. Best: return of twelve months (+112.2%). "
        "Worst: RSI of 14 months (68.6)."
    )


def test_what_a_source_says_is_text_and_not_markup(history: PriceHistory) -> None:
    hostile = replace(history, currency="<script>alert(1)</script>")

    page = write_report(analyse(hostile), hostile)["html"]

    assert "<script" not in page


def test_charts_of_the_same_prices_are_the_same(history: PriceHistory) -> None:
    light = price_chart(history, LIGHT)

    assert light.startswith(PNG)
    assert light == price_chart(history, LIGHT)
    assert light != price_chart(history, DARK)


def test_files_are_written_whole_and_again(report: Report, tmp_path: Path) -> None:
    store_report(report, tmp_path / "made" / "here")
    files = store_report(report, tmp_path / "made" / "here")

    assert Path(files["chart"]).read_bytes() == report["chart"]
    assert Path(files["html"]).read_text("utf-8") == report["html"]
    assert Path(files["markdown"]).read_text("utf-8") == report["markdown"]
    assert len(list((tmp_path / "made" / "here").iterdir())) == 3
