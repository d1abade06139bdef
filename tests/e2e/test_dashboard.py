"""The page in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.fake_life import NOON, FakeAgent, FakeAgents, FakeFeed

from puppet_engine.api.server import APIServer
from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.models import AgentConfig, Personality
from puppet_engine.dashboard.routes import Dashboard
from puppet_engine.world.server import LoopbackServer

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
SOON = 1_000
"""Milliseconds: how soon a page shows what happened."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("dashboard"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="install the package `chromium`"),
]


@dataclass
class Stage:
    """A server over a small cast."""

    agents: FakeAgents = field(default_factory=FakeAgents)
    feed: FakeFeed = field(default_factory=FakeFeed)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOON, factor=60))
    server: LoopbackServer = field(init=False)

    async def open(self, *, port: int = 0) -> str:
        api = APIServer(self.agents, self.agents.memories, feed=self.feed, clock=self.clock)
        Dashboard(agents=self.agents, feed=self.feed, clock=self.clock).install(api.app)
        self.server = LoopbackServer(api.app, port=port, grace_seconds=0)
        return await self.server.start()

    def join(self, agent_id: str, name: str) -> None:
        persona = AgentConfig(id=agent_id, name=name, personality=Personality(traits=["curious"]))
        self.agents.agents[agent_id] = FakeAgent(persona)


@pytest_asyncio.fixture(loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.join("alice", "Alice Ames")
    yield stage
    await stage.server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Open a page, and see that it complains of nothing."""
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
    )
    yield page
    await page.close()
    assert [each for each in complaints if "net::ERR_" not in each] == []


async def opened(page: Page, stage: Stage) -> str:
    url = await stage.open()
    await page.goto(url)
    await expect(page.locator("#status")).to_have_text("live")
    return url


async def test_a_post_is_seen_within_a_second(stage: Stage, page: Page) -> None:
    await opened(page, stage)

    stage.feed.say("1", "good morning")

    await expect(page.locator("#timeline")).to_contain_text("good morning", timeout=SOON)
    await expect(page.locator("#totals")).to_contain_text("1", timeout=SOON)


async def test_an_answer_is_put_under_what_it_answers(stage: Stage, page: Page) -> None:
    stage.feed.say("1", "who is there?")
    stage.feed.say("2", "something else")
    await opened(page, stage)

    stage.feed.say("3", "me!", by="bob", to="1")
    stage.feed.say("4", "who is me?", to="3")

    await expect(page.locator("#post-1 #post-3 #post-4")).to_contain_text("who is me?")
    await expect(page.locator("#timeline > li").first).to_have_attribute("id", "post-1")


async def test_a_memory_is_seen_in_the_stream_and_with_its_owner(stage: Stage, page: Page) -> None:
    await opened(page, stage)

    stage.feed.remember("tea with Bob")

    await expect(page.locator("#recollections")).to_contain_text("tea with Bob", timeout=SOON)
    await expect(page.locator("#last-alice")).to_contain_text("tea with Bob", timeout=SOON)


async def test_markup_that_comes_live_is_text(stage: Stage, page: Page) -> None:
    await opened(page, stage)

    stage.feed.say("1", '<img src=x onerror="document.title=1"><script>document.title=1</script>')

    await expect(page.locator("#timeline .text")).to_contain_text("<img src=x")
    assert await page.locator("#timeline img, #timeline script").count() == 0
    assert await page.title() == "Puppet Engine"


async def test_the_form_makes_time_pass_faster(stage: Stage, page: Page) -> None:
    await opened(page, stage)

    await page.get_by_label("3600 times real time").click()
    await expect(page.locator(".factor")).to_contain_text("3600")
    await page.get_by_label("Virtual seconds per real second").fill("90")
    await page.get_by_role("button", name="Set").click()

    await expect(page.locator(".factor")).to_contain_text("90")
    assert stage.clock.factor == 90


async def test_without_a_script_the_page_is_a_snapshot_and_its_form_works(
    stage: Stage, browser: Browser
) -> None:
    stage.feed.say("1", "good morning")
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    await page.goto(await stage.open())

    await page.get_by_label("600 times real time", exact=True).click()

    await expect(page.locator(".factor")).to_contain_text("600")
    await expect(page.locator("#timeline")).to_contain_text("good morning")


async def test_somebody_who_joins_appears_in_the_cast(stage: Stage, page: Page) -> None:
    await opened(page, stage)

    stage.join("bob", "Bob Burns")

    await expect(page.locator("#cast")).to_contain_text("Bob Burns")


async def test_a_paused_page_stands_still_and_then_catches_up(stage: Stage, page: Page) -> None:
    await opened(page, stage)
    stage.feed.say("1", "before")
    await expect(page.locator("#post-1")).to_be_visible()

    await page.get_by_role("button", name="Pause").click()
    stage.feed.say("2", "meanwhile")
    await expect(page.locator("#status")).to_have_text("paused")
    was_shown = await page.locator("#post-2").count()
    await page.get_by_role("button", name="Resume").click()

    await expect(page.locator("#post-2")).to_be_visible()
    assert not was_shown


async def test_a_page_outlives_its_server_and_misses_nothing(
    stage: Stage, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    url = await opened(page, stage)
    stage.feed.say("1", "before")
    await expect(page.locator("#post-1")).to_be_visible()

    await stage.server.stop()
    await expect(page.locator("#status")).to_have_text("reconnecting")
    stage.feed.say("2", "meanwhile")
    await stage.open(port=int(url.rpartition(":")[2]))

    await expect(page.locator("#post-2")).to_be_visible(timeout=15_000)
    await expect(page.locator("#post-1")).to_have_count(1)
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


async def test_a_storm_of_events_comes_in_ten_frames_a_second(stage: Stage, page: Page) -> None:
    await opened(page, stage)
    await page.evaluate(
        "window.frames_seen = 0; source.addEventListener('message', () => frames_seen++)"
    )

    for number in range(500):
        stage.feed.say(str(number), f"post {number}")
        await asyncio.sleep(0)

    await expect(page.locator("#post-499")).to_be_visible()
    assert await page.locator("#timeline > li").count() == 60
    assert await page.evaluate("frames_seen") <= 10


async def test_a_page_that_is_closed_is_forgotten(stage: Stage, browser: Browser) -> None:
    page = await browser.new_page()
    await opened(page, stage)
    watched_by_page_and_tally = len(stage.feed.views)

    await page.close()
    async with asyncio.timeout(5):
        await stage.feed.has_left.wait()

    assert watched_by_page_and_tally == 2
    assert len(stage.feed.views) == 1
