"""The command of the research desk as a process, and its report in a real browser."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.research_desk.analysis.scoring import analyse
from examples.research_desk.cli import app
from examples.research_desk.market.offline import OfflinePrices
from examples.research_desk.reports.report import store_report, write_report
from playwright.async_api import async_playwright
from tests.e2e.puppets import ROOT, environment
from typer.testing import CliRunner

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
COMMAND = [sys.executable, "-m", "examples.research_desk"]
PATHS = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(**PATHS),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def begun(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the command; it is killed if the test leaves it running."""
    with subprocess.Popen(
        [*COMMAND, "AAPL"],
        cwd=tmp_path,
        env=environment(**PATHS),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_one_command_researches_a_stock_and_says_where_the_report_lies(tmp_path: Path) -> None:
    done = run(tmp_path, "AAPL")

    assert done.returncode == 0, done.stderr
    said, place = done.stdout.splitlines()
    assert said.startswith("AAPL scores 0.58 of 1: hold.")
    page = Path(place.removeprefix("Report: "))
    assert page.parent.parent == tmp_path / "var" / "research"
    assert page.is_file()
    for step in ("fetching the prices of AAPL", "analysing 123 months", "writing the report"):
        assert step in done.stderr


def test_a_program_gets_the_outcome_as_json_from_postgresql(
    tmp_path: Path, postgresql_url: str
) -> None:
    done = run(tmp_path, "msft", "--json", "--database", postgresql_url, "--folder", "out")

    outcome = json.loads(done.stdout)
    assert outcome["ticker"] == "MSFT"
    assert outcome["recommendation"] == "buy"
    assert {Path(tmp_path, path).is_file() for path in outcome["report"].values()} == {True}
    assert not list(tmp_path.rglob("*.db"))


def test_research_that_was_killed_goes_on_where_it_was(
    begun: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert begun.stderr is not None
    session_id = begun.stderr.readline().removeprefix("Research ").strip()
    for line in begun.stderr:
        if "writing the report" in line:
            break
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    assert not list(tmp_path.rglob("report.html"))

    done = run(tmp_path, "--resume", session_id, "--json")

    outcome = json.loads(done.stdout)
    assert outcome["session_id"] == session_id
    assert Path(tmp_path, outcome["report"]["html"]).is_file()
    assert "fetching" not in done.stderr
    assert "saving" in done.stderr


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "research_desk" / "README.md").read_text("utf-8")
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env=environment(**PATHS),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    researched, returned = done.stdout.splitlines()
    assert researched.startswith("0.5838 ")
    assert returned == "0.486800"  # from 150.00 to 223.02


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["NOPE"], 1, "UnknownTickerError: unknown ticker 'NOPE'"),
        (["--resume", "nothing"], 1, "RecordNotFoundError: stock_research session not found"),
        (["AAPL", "--source", "bloomberg"], 2, "should be 'offline' or 'yahoo'"),
        ([], 2, "give a ticker, such as AAPL, or --resume ID"),
    ],
    ids=["unknown ticker", "unknown research", "unknown source", "nothing"],
)
def test_what_cannot_be_done_is_said_in_a_line(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    done = CliRunner().invoke(app, [*arguments, "--folder", str(tmp_path)])

    assert done.exit_code == code
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(not CHROMIUM.exists(), reason="install the package `chromium`")
async def test_the_report_fits_a_phone_and_the_dark_and_asks_for_nothing(tmp_path: Path) -> None:
    history = OfflinePrices().history("AAPL")
    files = store_report(write_report(analyse(history), history), tmp_path)
    asked: list[str] = []

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        seen = {}
        for scheme, width in (("light", 1100), ("dark", 1100), ("light", 360), ("dark", 360)):
            page = await browser.new_page(
                viewport={"width": width, "height": 800},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(Path(files["html"]).as_uri())
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            seen[scheme, width] = await page.evaluate(
                "[getComputedStyle(document.body).backgroundColor,"
                " document.querySelector('img').currentSrc.length]"
            )
            await page.close()
        await browser.close()

    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert {ground for ground, _ in seen.values()} == {"rgb(255, 255, 255)", "rgb(20, 24, 29)"}
    assert len({picture for _, picture in seen.values()}) == 4
