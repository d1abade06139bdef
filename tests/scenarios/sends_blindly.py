"""A life with a defect: what may have been sent is sent again, and nobody looks it up."""

from kills import life
from typing_extensions import override

from puppet_engine.agents import outgoing
from puppet_engine.agents.publishing import Publisher
from puppet_engine.core.models import Effect, Intent


class Blind(Publisher):
    """Finds nothing, wherever it looks."""

    @override
    async def look_up(self, intent: Intent) -> Effect | None:
        return None


if __name__ == "__main__":
    outgoing.Publisher = Blind  # type: ignore[attr-defined]  # the defect
    life.main()
