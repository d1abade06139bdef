import pytest
from tests.unit.simulation.lives import lived, nobody_watches

from puppet_engine.core.clock import VirtualClock
from puppet_engine.simulation.fate import Fate
from puppet_engine.simulation.report import Report
from puppet_engine.simulation.scenario import FIRST_MOMENT, FaultKind, Scenario
from puppet_engine.simulation.simulate import simulate

RATES = {
    FaultKind.CRASHES: 12,
    FaultKind.CLOCK_JUMPS: 8,
    FaultKind.SLOW_DISK: 0.1,
    FaultKind.LOST_REPLIES: 0.1,
    FaultKind.HANGING_CALLS: 0.1,
}


def without_machine(report: Report) -> Report:
    return report.model_copy(update={"wall_seconds": 0})


async def test_a_population_talks_and_every_promise_is_kept() -> None:
    report = await lived(faults={})

    assert report.counts.posts >= 6
    assert report.counts.replies > 0
    assert report.counts.given_up == 0
    assert report.is_sound
    assert not report.is_partial
    assert report.lived_until == report.scenario.end
    assert report.usage.llm_calls >= report.counts.posts + report.counts.replies
    assert report.cost.total > 0
    assert len(report.utterances) == report.counts.posts + report.counts.replies
    assert len(report.moods) == 10
    assert any(hour.valence for hour in report.moods)
    assert all(-1 <= hour.low <= hour.valence <= hour.high <= 1 for hour in report.moods)
    assert {one.who for one in report.standings} <= {person.handle for person in report.people}
    assert any(one.affinity for one in report.standings)


async def test_the_same_scenario_is_the_same_life_to_the_letter() -> None:
    first = await lived(faults={})
    second = await lived(faults={})
    other = await lived(faults={}, seed=6)

    assert without_machine(first) == without_machine(second)
    assert other.digest != first.digest


@pytest.mark.parametrize("kind", FaultKind)
async def test_no_fault_breaks_a_promise(kind: FaultKind) -> None:
    report = await lived(faults={kind: RATES[kind]})

    assert report.faults[kind] > 0
    assert [finding for finding in report.findings if finding.broken] == []
    assert all(finding.checked for finding in report.findings)


async def test_all_faults_together_are_repeated_to_the_letter() -> None:
    first = await lived(faults=RATES)
    second = await lived(faults=RATES)

    assert without_machine(first) == without_machine(second)
    assert all(first.faults.values())
    assert first.is_sound


async def test_a_life_that_is_broken_off_is_told_as_far_as_it_went() -> None:
    looks: list[float] = []
    scenario = Scenario(agents=4, days=7, seed=5)

    report = await simulate(
        scenario,
        progress=lambda progress: looks.append(progress.share),
        stopped=lambda: len(looks) == 8,
    )

    assert report.is_partial
    assert report.is_sound
    assert report.lived_until < FIRST_MOMENT.replace(hour=9)
    assert report.counts.posts == 4
    assert looks == sorted(looks)


async def test_somebody_alone_lives_too() -> None:
    scenario = Scenario(agents=1, days=0.1, seed=5)

    report = await simulate(scenario, progress=nobody_watches)

    assert report.counts.posts == 1
    assert report.is_sound


def jumps_over_its_end(scenario: Scenario) -> bool:
    clock = VirtualClock(FIRST_MOMENT)
    fate = Fate(scenario, clock=clock)
    while (due := fate.next_jump) is not None:
        clock.set(due)
        fate.jump_if_due()
    return clock.now() > scenario.end


async def test_what_a_jump_over_the_end_has_passed_by_is_still_taken() -> None:
    scenarios = (
        Scenario(agents=4, days=0.3, seed=seed, faults={FaultKind.CLOCK_JUMPS: 4})
        for seed in range(1000)
    )
    scenario = next(filter(jumps_over_its_end, scenarios))

    report = await simulate(scenario, progress=nobody_watches)

    assert report.is_sound
    assert not report.is_partial
