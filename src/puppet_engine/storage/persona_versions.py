"""The versions of personas as rows: what somebody was like, and since when."""

import hashlib
import json
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import AgentConfig, Noun
from puppet_engine.storage.gateway import Storage


class PersonaVersion(Noun):
    """A persona as it was from a moment on."""

    agent_id: str
    number: int
    """From 1 on, by one each."""
    persona: dict[str, Any]
    """What differs from the defaults, without the private key."""
    digest: str
    """SHA-256, in hexadecimal digits; the same for the same persona."""
    reason: str
    created_at: AwareDatetime


class PersonaVersions:
    """Keeps what personas were like."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def keep(self, config: AgentConfig, *, reason: str) -> PersonaVersion:
        """Keep a persona as its newest version, unless it is that already; return that one."""
        persona = portable(config)
        digest = digest_of(persona)
        now = self._storage.clock.now()

        def work(session: Session) -> PersonaVersion:
            while True:
                last = session.scalars(self._of(config.id).limit(1)).first()
                if last is not None and last.digest == digest:
                    return _read(last)
                version = PersonaVersion(
                    agent_id=config.id,
                    number=last.number + 1 if last is not None else 1,
                    persona=persona,
                    digest=digest,
                    reason=reason,
                    created_at=now,
                )
                new = self._storage.statement(_new)
                if session.connection().execute(new, dict(version)).rowcount:
                    return version
                # Another process has just kept one, mostly this very one: they start together.

        return await self._storage.run(work)

    async def all(self, agent_id: str) -> list[PersonaVersion]:
        """Return the versions of a persona, newest first."""
        return await self._storage.read(
            lambda session: [_read(row) for row in session.scalars(self._of(agent_id))]
        )

    async def get(self, agent_id: str, number: int | None = None) -> PersonaVersion:
        """Return a version of a persona, the newest when no number is given.

        Raises:
            ConfigurationError: there is none; names those there are.

        """
        versions = await self.all(agent_id)
        wanted = [it for it in versions if number in {None, it.number}]
        if wanted:
            return wanted[0]
        known = ", ".join(str(it.number) for it in reversed(versions)) or "none"
        which = "no version" if number is None else f"no version {number}"
        raise ConfigurationError(
            f"there is {which} of the persona {agent_id!r}; there are: {known}. "
            "The engine keeps one whenever it starts with a persona that has changed"
        )

    def _of(self, agent_id: str) -> Any:
        model = self._storage.model("PersonaVersion")
        return select(model).where(model.agent_id == agent_id).order_by(model.number.desc())


def _new(storage: Storage) -> Any:
    insert = (postgresql if storage.dialect == "postgresql" else sqlite).insert
    return insert(storage.model("PersonaVersion").__table__).on_conflict_do_nothing()


def portable(config: AgentConfig) -> dict[str, Any]:
    """Return what a persona file needs to say for a persona: no defaults, and no private key."""
    kept = config.model_dump(
        mode="json", exclude_defaults=True, exclude={"solana_integration": {"private_key"}}
    )
    return {name: value for name, value in kept.items() if value != {}}


def digest_of(persona: dict[str, Any]) -> str:
    """Return the SHA-256 of a persona, in hexadecimal digits."""
    text = json.dumps(persona, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(row: Any) -> PersonaVersion:
    return PersonaVersion(
        agent_id=row.agent_id,
        number=row.number,
        persona=row.persona,
        digest=row.digest,
        reason=row.reason,
        created_at=row.created_at,
    )
