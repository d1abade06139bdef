"""How well a memory finds again what it was told, on this machine and with its embedder."""

from collections.abc import Mapping
from dataclasses import dataclass

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import seeded_ids
from puppet_engine.core.settings import Settings
from puppet_engine.measures.dialogues import ASKED_AT, talks
from puppet_engine.measures.doubts import Doubts, measure_doubts
from puppet_engine.measures.recall import Recall, measure, tell
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.gateway import Storage

_AGENT = "audited"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What an audit came to."""

    embedder: str
    """By what memories were found; `none`: by their words alone."""
    memories: int
    kinds: Mapping[str, Recall]
    """By the kind of question; `all` is all of them."""
    doubts: Doubts
    """How well it is told whether there is an answer."""


async def audit(
    settings: Settings, *, seed: int, people: int | None = None, topics: int | None = None
) -> Audit:
    """Tell talks with known evidence to a memory of its own, and return how well it did.

    Those of all people on all topics, or of the first few.
    Nothing is read or written but a database in memory.
    """
    said = talks(seed=seed, people=people, topics=topics)
    clock = VirtualClock(ASKED_AT)
    storage = Storage(
        "sqlite:///:memory:", clock=clock, ids=seeded_ids(seed), embedder=settings.embedder
    )
    await storage.open()
    try:
        store = SQLiteStore(settings, storage=storage, clock=clock)
        turns = await tell(store, _AGENT, said)
        # What was told is taken in by the first search; none of those that are timed.
        await store.search_memories(_AGENT, "anything at all")
        kinds = await measure(store, _AGENT, said.questions, turns)
        doubts = await measure_doubts(store, _AGENT, said, turns, seed=seed)
        return Audit(embedder=storage.embedder, memories=len(turns), kinds=kinds, doubts=doubts)
    finally:
        await storage.close()
