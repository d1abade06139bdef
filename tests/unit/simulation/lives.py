"""Small lives for tests."""

from datetime import datetime, timedelta

from puppet_engine.simulation.digests import Utterance
from puppet_engine.simulation.life import Progress
from puppet_engine.simulation.report import Report
from puppet_engine.simulation.scenario import FIRST_MOMENT, FaultKind, Scenario
from puppet_engine.simulation.simulate import simulate


def nobody_watches(_progress: Progress) -> None:
    pass


async def lived(*, seed: int = 5, agents: int = 6, faults: dict[FaultKind, float]) -> Report:
    scenario = Scenario(agents=agents, days=0.4, seed=seed, mention_poll_minutes=60, faults=faults)
    return await simulate(scenario, progress=nobody_watches)


def moment(hours: float) -> datetime:
    return FIRST_MOMENT + timedelta(hours=hours)


def said(
    post_id: int, handle: str, text: str = "Hello.", *, hours: float = 0, to: int | None = None
) -> Utterance:
    return Utterance(
        at=moment(hours),
        handle=handle,
        text=text,
        post_id=str(post_id),
        in_reply_to=str(to) if to else None,
    )
