"""How many turns of agents a database makes durable in a second."""

from typing import Final

from benchmarks.harness.benchmark import Benchmark, Figure, Peer, Scale, at_least
from benchmarks.harness.stage import Facts


def _expected(size: int) -> Facts:
    return {"turns": size}


def _turns(*, name: str, survives: str, ours: str, least: float, mode: str) -> Benchmark:
    return Benchmark(
        name=name,
        about=(
            f"turns that survive {survives}: ours each consume an event, keep a memory and set "
            "the next timer, all or nothing; huey's and DBOS's each take a queued task, do one "
            "step and keep its result."
        ),
        item="turns",
        ours=f"benchmarks.contenders.durable_turns:{ours}",
        peers=(
            Peer(name="huey", run=f"benchmarks.contenders.huey_tasks:{mode}"),
            Peer(name="DBOS", run=f"benchmarks.contenders.dbos_steps:{mode}"),
        ),
        figures=(
            Figure(
                unit="turns/s",
                of=lambda run: run.size / run.wall_seconds,
                target=at_least(least),
            ),
            Figure(
                name="processor time",
                unit="CPU µs per turn",
                of=lambda run: run.cpu_seconds / run.size * 1e6,
            ),
        ),
        scale=Scale(sizes=(1_000, 2_000, 3_000), headline=2_000),
        full_scale=Scale(sizes=(2_000, 4_000, 20_000), headline=20_000),
        expect=_expected,
        repetitions=2,
        traced=False,
    )


BENCHMARKS: Final = (
    _turns(
        name="durable turns, NORMAL",
        survives="a kill of the process",
        ours="survive_a_kill",
        least=2_000,
        mode="normal",
    ),
    _turns(
        name="durable turns, FULL",
        survives="a loss of power",
        ours="survive_a_loss_of_power",
        least=1_000,
        mode="full",
    ),
)
