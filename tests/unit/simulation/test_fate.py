from datetime import timedelta

import pytest

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.simulation.fate import Fate, SimulatedCrash
from puppet_engine.simulation.scenario import (
    FIRST_MOMENT,
    USUAL_RATES,
    FaultKind,
    Scenario,
    read_faults,
)


def fate(seed: int = 1, **faults: float) -> tuple[Fate, VirtualClock]:
    clock = VirtualClock(FIRST_MOMENT)
    kinds = {FaultKind(name.replace("_", "-")): rate for name, rate in faults.items()}
    return Fate(Scenario(seed=seed, days=1, faults=kinds), clock=clock), clock


def steps_to_the_crash(seed: int) -> int:
    doomed, clock = fate(seed, crashes=1)
    clock.advance(timedelta(days=1))
    return steps_of(doomed)


def steps_of(doomed: Fate) -> int:
    """Return how many steps a process takes until it crashes."""
    for steps in range(1000):
        try:
            doomed.step()
        except SimulatedCrash:
            return steps
    raise AssertionError("it never crashed")


def test_a_crash_comes_at_any_step_and_always_at_the_same() -> None:
    places = [steps_to_the_crash(seed) for seed in range(20)]

    assert places == [steps_to_the_crash(seed) for seed in range(20)]
    assert len(set(places)) > 10


def test_a_process_that_has_crashed_does_nothing_more_until_there_is_another() -> None:
    doomed, clock = fate(crashes=1)
    clock.advance(timedelta(days=1))
    steps_of(doomed)
    with pytest.raises(SimulatedCrash):
        doomed.step()

    doomed.revive()

    assert doomed.counts[FaultKind.CRASHES] == 1
    doomed.step()


def test_without_faults_nothing_ever_goes_wrong() -> None:
    lucky, clock = fate()
    for _ in range(100):
        lucky.step()
        lucky.write()
        clock.advance(timedelta(hours=1))
        lucky.jump_if_due()

    assert clock.now() == FIRST_MOMENT + timedelta(hours=100)
    assert not lucky.loses_reply()
    assert not lucky.counts


def test_a_clock_jumps_forward_and_back() -> None:
    jumping, clock = fate(clock_jumps=20)
    jumps = []
    while (due := jumping.next_jump) is not None:
        clock.set(due)
        jumping.jump_if_due()
        jumps.append(clock.now() - due)

    assert len(jumps) == jumping.counts[FaultKind.CLOCK_JUMPS] == 20
    assert min(jumps) < timedelta() < max(jumps)


def test_a_slow_disk_takes_virtual_time() -> None:
    slow, clock = fate(slow_disk=0.5)
    for _ in range(20):
        slow.write()

    assert timedelta() < clock.now() - FIRST_MOMENT < timedelta(seconds=30 * 20)


def test_a_call_hangs_as_often_as_was_said_and_reaches_its_server_half_the_time() -> None:
    silent, _ = fate(hanging_calls=0.25)

    hung = sum(silent.hangs() for _ in range(1000))
    reached = sum(silent.reaches() for _ in range(1000))

    assert 200 < hung < 300
    assert 450 < reached < 550
    assert silent.counts[FaultKind.HANGING_CALLS] == hung


def test_faults_are_read_with_their_rates_or_the_usual_ones() -> None:
    assert read_faults("crashes=5, lost-replies") == {
        FaultKind.CRASHES: 5,
        FaultKind.LOST_REPLIES: USUAL_RATES[FaultKind.LOST_REPLIES],
    }
    assert read_faults("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("earthquakes", "no fault 'earthquakes'; there are: crashes"),
        ("crashes=often", "the rate 'often' is no number"),
    ],
)
def test_a_fault_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_faults(text)


@pytest.mark.parametrize("faults", [{"lost-replies": 0.9}, {"crashes": 0}, {"slow-disk": -1}])
def test_a_rate_that_makes_no_sense_is_refused(faults: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"faults|at most half"):
        Scenario.model_validate({"faults": faults})
