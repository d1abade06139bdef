"""Takes up changed persona files while the engine lives."""

import asyncio
import logging
from typing import Final

from puppet_engine.core.errors import PuppetEngineError
from puppet_engine.main import App
from puppet_engine.personas.files import Stamps, stamps_of

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often the files are looked at."""


class PersonaWatch:
    """Sees to it that agents are what their files say; what is broken changes nobody."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._seen: Stamps = stamps_of(app.settings.agents_dir)

    async def look(self) -> list[str]:
        """Take up what has changed since the last look, and return whose persona that is."""
        stamps = stamps_of(self._app.settings.agents_dir)
        if stamps == self._seen:
            return []
        self._seen = stamps
        try:
            renewed = await self._app.renew_cast()
        except PuppetEngineError as error:
            log.error("personas stay as they were: %s", error)  # noqa: TRY400 - no trace for a typo
            return []
        for agent_id in renewed:
            log.info("%s is what its file says now", agent_id)
        return renewed

    async def keep_looking(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()
