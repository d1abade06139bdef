import math
import re

import pytest
from tests.unit.simulation.lives import said

from puppet_engine.simulation.account import Finding
from puppet_engine.simulation.charts import ring_of_people, talk_over_time
from puppet_engine.simulation.feelings import MoodHour, Standing
from puppet_engine.simulation.meter import USUAL_PRICE, Usage, price
from puppet_engine.simulation.page import page
from puppet_engine.simulation.report import Counts, Person, Report
from puppet_engine.simulation.scenario import FaultKind, Scenario
from puppet_engine.simulation.talk import Hour, by_hour, cascades, who_answers_whom

EVIL = "<script>alert('&')</script>"
TALK = [said(1, "ann", EVIL), said(2, "bob", "No.", hours=30, to=1)]


def report(**changes: object) -> Report:
    usage = Usage(llm_calls=2, prompt_tokens=4_000_000, completion_tokens=1000)
    whole = Report(
        scenario=Scenario(agents=2, days=2, faults={FaultKind.CRASHES: 1}),
        is_partial=False,
        lived_until=Scenario(days=2).end,
        wall_seconds=1,
        digest="d" * 64,
        said_by_day=["1" * 64, "2" * 64],
        happened_by_hour=[],
        counts=Counts(posts=1, replies=1, memories=3, events=9, retries=0, given_up=0),
        memories={"core": 3},
        usage=usage,
        cost=price(usage, USUAL_PRICE),
        faults={FaultKind.CRASHES: 4},
        findings=[
            Finding(promise="Nothing was said twice.", checked=2, broken=0),
            Finding(promise="All is well.", checked=9, broken=1, examples=(EVIL,)),
        ],
        moods=[
            MoodHour(valence=0.5, low=0.25, high=0.75, arousal=-0.5),
            MoodHour(valence=-0.5, low=-1, high=0, arousal=0.5),
        ],
        standings=[Standing(who="bob", whom="ann", familiarity=0.5, affinity=-0.5, trust=0)],
        hours=by_hour(TALK),
        cascades=cascades(TALK, largest=5),
        answers=who_answers_whom(TALK),
        people=[
            Person(handle="ann", name="Ann", calling="baker"),
            Person(handle="bob", name="Bob", calling="birder"),
        ],
        utterances=TALK,
    )
    return whole.model_copy(update=changes)


def test_a_page_needs_nothing_from_elsewhere() -> None:
    text = page(report())

    assert not re.search(r"https?://|<script|<link|<img|@import|url\(|src=", text)


def test_what_people_said_is_shown_as_they_said_it_and_is_no_markup() -> None:
    assert text_of_page().count("&lt;script&gt;alert(&#39;&amp;&#39;)") == 2


def text_of_page(**changes: object) -> str:
    return page(report(**changes))


def test_who_dislikes_whom_is_seen_on_the_ring() -> None:
    assert re.search(
        r'class="cold"[^>]*><title>@bob answered @ann 1 times, affinity -0.50', text_of_page()
    )


def test_promises_faults_cost_and_mood_are_told() -> None:
    text = text_of_page()

    assert '<span class="kept">kept</span>' in text
    assert '<span class="broken">broken 1' in text
    assert "crashes 4" in text
    assert "$1.00" in text
    assert 'points="0,25.00 1,75.00"' in text  # valence, with 1 at the top
    assert "@bob answered @ann 1 times" in text
    assert "d" * 64 in text


def test_a_life_that_was_broken_off_says_so() -> None:
    assert "Broken off" in text_of_page(is_partial=True)
    assert "Broken off" not in text_of_page()


def test_a_life_in_which_nobody_spoke_has_a_page_too() -> None:
    silent = text_of_page(
        hours=[], cascades=cascades([], largest=5), answers=[], said_by_day=[], utterances=[]
    )

    assert "Nobody answered anybody." in silent


@pytest.mark.parametrize("count", [2, 100, 1000])
def test_those_who_are_silent_do_not_cover_each_other_on_the_ring(count: int) -> None:
    people = [Person(handle=f"p{one}", name="P", calling="baker") for one in range(count)]

    ring = ring_of_people(people, [], {})

    radii = [float(radius) for radius in re.findall(r'r="([\d.]+)"', ring)]
    assert len(radii) == count
    assert 1 <= max(radii) <= math.pi * 480 / count + 0.05


def test_an_hour_of_much_talk_does_not_flatten_the_others() -> None:
    hello, usual = Hour(posts=900, replies=100), Hour(posts=30, replies=20)

    chart = talk_over_time([hello, usual, Hour(posts=10, replies=5)])
    even = talk_over_time([usual, usual])

    assert (chart.highest, chart.cut) == (50, "that of hour 1 is cut: 1,000")
    assert "hour 1: 900 posts, 100 replies" in chart.svg
    assert max(float(height) for height in re.findall(r'height="([\d.]+)"', chart.svg)) <= 100
    assert (even.highest, even.cut) == (50, "")
