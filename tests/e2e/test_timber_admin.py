"""`timber admin` as a process, used in a real browser that may reach nothing but this machine."""

import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, async_playwright, expect

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "examples/research_desk/data/models"
CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMMAND = "from timber.cli import main; main()"
HOSTILE = "<img src=x onerror=document.title='owned'>"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("admin"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="install the package `chromium`"),
]


@dataclass
class Site:
    """A running site."""

    process: subprocess.Popen[str]
    url: str
    password: str


def database(folder: Path) -> str:
    """Make a database with some rows of the guide's models, and return its URL."""
    url = f"sqlite:///{folder / 'research.db'}"
    settings = TimberSettings(database_url=url, model_config_dirs=(MODELS,))
    with Timber().opened(settings) as timber, timber.database.session_scope() as session:
        user, research = (timber.models.get(one) for one in ("User", "StockResearchSession"))
        names = ["ada", HOSTILE, *(f"person {number}" for number in range(60))]
        session.add_all(
            user(user_id=f"u{number}", email=f"u{number}@example.com", username=name)
            for number, name in enumerate(names)
        )
        session.flush()
        session.add_all(
            research(user_id=f"u{number % 2}", ticker=ticker, config={"why": HOSTILE})
            for number, ticker in enumerate(["AAPL", "MSFT", "NVDA"] * 10)
        )
        session.add(timber.models.get("Tag")(label="growth"))
    return url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start a site, which the tests leave as they found it but for what is added."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            COMMAND,
            "admin",
            MODELS,
            "--database",
            database(tmp_path_factory.mktemp("admin")),
            "--port",
            "0",
        ],
        env={"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    address, password = (line.rpartition(" ")[2].strip() for line in lines)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), lines
    yield Site(process, address, password)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert "Traceback" not in rest


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(site: Site, browser: Browser) -> AsyncIterator[Page]:
    """Open a page, and see that it complains of nothing and asks nobody else for anything."""
    complaints: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith((site.url, "data:")):
            complaints.append(f"asked for {request.url}")

    page = await browser.new_page()  # of somebody who is not logged in
    page.on("request", watch)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    await page.close()
    refused = "Failed to load resource: the server responded with a status of 4"
    assert [each for each in complaints if not each.startswith(refused)] == []


async def logged_in(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.get_by_label("Password").fill(site.password)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Models")).to_be_visible()


async def opened(page: Page, model: str) -> None:
    await page.get_by_role("link", name=model, exact=True).first.click()
    await expect(page.get_by_role("heading", name=model)).to_be_visible()


async def saved(page: Page) -> None:
    await page.get_by_role("button", name="Save", exact=True).click()


async def test_the_printed_password_lets_in_and_another_does_not(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.get_by_label("Password").fill("guess")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("Wrong password.")

    await logged_in(page, site)

    await expect(page.get_by_role("row", name="User")).to_contain_text("62")


async def test_a_row_is_made_with_a_picker_refused_mended_and_changed(
    page: Page, site: Site
) -> None:
    await logged_in(page, site)
    await opened(page, "StockResearchSession")
    await page.get_by_role("link", name="New StockResearchSession").click()

    await page.locator("#user_id + .select2").click()
    await expect(page.locator(".select2-results__option")).to_have_count(21)  # one loads the next
    await page.keyboard.type("person 59")
    await page.locator(".select2-results__option", has_text="u61").click()
    await page.locator("#ticker").fill("MUCH TOO LONG")
    await page.locator("#config").fill("{")
    await saved(page)

    await expect(page.locator("#ticker-error")).to_contain_text("at most 10 fit")
    await expect(page.locator("#config-error")).to_contain_text("not JSON (line 1")
    await expect(page.locator("#ticker")).to_have_value("MUCH TOO LONG")
    await expect(page.locator("#user_id + .select2")).to_contain_text("person 59")

    await page.locator("#ticker").fill("TSLA")
    await page.locator("#config").fill('{"a": 1}')
    await saved(page)
    row = page.get_by_role("row", name="TSLA")
    await expect(row).to_contain_text("person 59")

    await row.click(position={"x": 400, "y": 10})
    await (
        page.get_by_role("link", name="Edit").or_(page.get_by_role("button", name="Edit")).click()
    )
    await page.locator("#state").select_option("processing")
    await saved(page)
    await expect(page.locator(".page-body")).to_contain_text("processing")


async def test_a_search_and_a_filter_find_rows(page: Page, site: Site) -> None:
    await logged_in(page, site)
    await opened(page, "StockResearchSession")

    await page.get_by_role("searchbox").fill("nvda")
    await page.keyboard.press("Enter")

    await expect(page.locator("tbody tr")).to_have_count(10)
    await expect(page.locator("tbody")).not_to_contain_text("AAPL")
    await expect(page.locator(".card-footer")).to_contain_text("1 to 10 of 10")


async def test_a_deleted_row_is_restored_from_among_the_deleted(page: Page, site: Site) -> None:
    await logged_in(page, site)
    await opened(page, "User")
    await page.get_by_role("searchbox").fill("person 7")
    await page.keyboard.press("Enter")
    await (
        page.locator("tbody tr")
        .get_by_label("Actions")
        .or_(page.locator("tbody tr .dropdown button"))
        .first.click()
    )
    await page.locator("tbody tr [data-sa-name=delete]").click()
    await page.locator(".modal.show").get_by_text("Delete", exact=True).click()
    await expect(page.locator("tbody")).to_contain_text("No rows match")

    await page.get_by_role("link", name="Show deleted").click()
    await expect(page.locator("tbody")).to_contain_text("person 7")
    await page.locator("tbody tr .dropdown button").first.click()
    await page.locator("tbody tr [data-sa-name=restore]").click()
    await expect(page.locator("tbody")).to_contain_text("No deleted rows match")
    await page.get_by_role("link", name="Showing deleted rows").click()

    await expect(page.locator("tbody")).to_contain_text("person 7")


async def test_markup_in_rows_is_text_wherever_it_is_shown(page: Page, site: Site) -> None:
    await logged_in(page, site)

    for path in (
        "User/list",
        "User/list?q=img",
        "User/detail?pk=u1",
        "User/edit?pk=u1",
        "StockResearchSession/list",
        "StockResearchSession/create",
    ):
        await page.goto(f"{site.url}{path}", wait_until="networkidle")
        assert await page.title() != "owned"
        assert await page.locator("img").count() == 0

    await page.locator("#user_id + .select2").click()
    await page.keyboard.type("img")
    found = page.locator(".select2-results__option")  # only it: Enter takes the first
    await expect(found).to_have_text([re.compile(re.escape(HOSTILE))])
    await page.keyboard.press("Enter")
    await expect(page.locator("#user_id + .select2")).to_contain_text(HOSTILE)
    assert await page.title() != "owned"
