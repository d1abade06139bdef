"""A life with a defect: a turn is told to be fact before it is committed."""

import asyncio

from kills import life
from typing_extensions import override

from puppet_engine.core.models import Event, TurnOutcome
from puppet_engine.storage.ledger import StoredLedger


class Hasty(StoredLedger):
    """Settles an event first, and keeps what its turn brought when there is time."""

    @override
    async def commit(
        self, agent_id: str, event: Event | None, outcome: TurnOutcome, *, error: str = ""
    ) -> list[Event]:
        await super().commit(agent_id, event, TurnOutcome(), error=error)
        await asyncio.sleep(0.05)
        return await super().commit(agent_id, None, outcome)


if __name__ == "__main__":
    life.StoredLedger = Hasty  # type: ignore[attr-defined]  # the defect
    life.main()
