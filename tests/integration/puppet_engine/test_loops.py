"""What becomes of somebody who never stops, and whom no conversation ends."""

from datetime import timedelta
from pathlib import Path

import pytest

from puppet_engine.agents.deciding import MOST_ANSWERS_A_DAY
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.reader import read_personas
from puppet_engine.simulation.life import Life, Progress
from puppet_engine.simulation.scenario import FIRST_MOMENT, Scenario
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.passing import passing_keys

pytestmark = pytest.mark.integration

CAST = Path(__file__).parents[3] / "config/agents"
EVERY = timedelta(minutes=15)


def nobody_watches(_: Progress) -> None:
    """See nothing of how far it has come."""


async def test_who_begins_a_new_conversation_each_time_is_not_answered_for_ever(
    tmp_path: Path,
) -> None:
    config = next(one for one in read_personas(CAST) if one.id == "delphine")
    patterns = config.behavior.interaction_patterns.model_copy(update={"reply_probability": 1.0})
    behavior = config.behavior.model_copy(update={"interaction_patterns": patterns})
    config = config.model_copy(update={"behavior": behavior})

    with passing_keys() as keystore:
        life = Life(
            Scenario(agents=1, days=1, seed=7, mention_poll_minutes=10),
            [config],
            directory=tmp_path,
            keystore=keystore,
        )
        site, begun = life.world.site, 0

        async def meanwhile() -> None:
            nonlocal begun
            account = site.accounts.with_handle("loopy") or await site.sign_up("loopy", "Loopy")
            while begun < 60 and life.clock.now() >= FIRST_MOMENT + begun * EVERY:
                begun += 1
                await site.publish(account, f"@{handle_of(config)} hello ({begun}), how are you?")

        await life.live(progress=nobody_watches, stopped=lambda: False, meanwhile=meanwhile)
        speaker = site.accounts.with_handle(handle_of(config))
        assert speaker is not None
        said = site.posts.by_author(speaker.id)
        answered = [one for one in said if one.in_reply_to is not None]
        async with life.looked_back_on() as storage:
            decisions = await StoredDecisions(storage).of_agent("delphine", limit=200)

    assert begun == 60
    assert len(answered) == MOST_ANSWERS_A_DAY
    assert any("within a day, which is enough" in one.why for one in decisions)
