"""What people tell agents can be read in no file of a life, and its models leave nothing out."""

import logging
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.personas.handles import handle_of
from puppet_engine.personas.reader import read_personas
from puppet_engine.simulation.life import Life, Progress
from puppet_engine.simulation.scenario import FIRST_MOMENT, Scenario
from puppet_engine.storage.decisions import StoredDecisions
from puppet_engine.storage.gateway import MODELS
from puppet_engine.storage.passing import passing_keys

pytestmark = pytest.mark.integration

CAST = Path(__file__).parents[3] / "config/agents"
MARKER: Final = "xyzzycanary"
TOLD: Final = (
    f"my cat is called {MARKER}",
    f"I live in {MARKER.capitalize()}.",
    f"I love you, and so does my {MARKER}",
)

CLEAR: Final = {
    "agents.persona": "what the operator's files say",
    "persona_versions.persona": "the same, as it was",
    "schedules.recurrence": "what the operator has planned",
    "schedules.template": "the same",
    "account_meters.meter": "how much of a rate limit is used up",
    "journal_entries.record": "when a life began; the world's own, which plays the network",
    "quarantined_memories.reasons": "which kinds of reasons",
    "facts.evidence": "ids of memories",
    "events.error": "which failure, with no words of people in it",
    "intents.error": "why it waits, with no words of people in it",
    "intents.result": "the id of a post, by which it is found; or why it was dropped",
}
"""What may hold texts, and is not sealed; each with its reason."""


def nobody_watches(_: Progress) -> None:
    """See nothing of how far it has come."""


def held(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def files_in(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def values_in(database: Path) -> Iterator[bytes]:
    """Yield every value of a file, and what it is when it is inflated."""
    with closing(sqlite3.connect(database)) as opened:
        tables = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in opened.execute(f'SELECT * FROM "{table}"'):
                for value in map(held, row):
                    yield value
                    yield inflated(value)


async def test_what_visitors_tell_an_agent_lies_in_no_byte_of_its_files_and_logs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = next(one for one in read_personas(CAST) if one.id == "delphine")
    scenario = Scenario(agents=1, days=1, seed=7, mention_poll_minutes=30)

    with passing_keys() as keystore, caplog.at_level(logging.DEBUG, "timber"):
        life = Life(scenario, [config], directory=tmp_path, keystore=keystore)
        site, told = life.world.site, list(TOLD)

        async def meanwhile() -> None:
            if told and life.clock.now() > FIRST_MOMENT:
                visitor = await site.sign_up(f"visitor{len(told)}", "Visitor")
                await site.publish(visitor, f"@{handle_of(config)} {told.pop()}")
                await site.publish(visitor, f"@{handle_of(config)} do you remember my {MARKER}?")

        await life.live(progress=nobody_watches, stopped=lambda: False, meanwhile=meanwhile)
        files = files_in(tmp_path)
        values = list(values_in(tmp_path / "agents.db"))
        async with life.looked_back_on() as storage:
            store = SQLiteStore(Settings(), storage=storage, clock=life.clock)
            found = await store.search_memories("delphine", f"whose is {MARKER}?", limit=50)
            then = life.clock.now()
            facts = await store.facts("delphine", as_of=then, known_at=then)
            decisions = await StoredDecisions(storage).of_agent("delphine", limit=100)

    # It was heard, kept, found again by that very word, and thought of in decisions.
    assert any(TOLD[0] in one.content for one in found)
    assert any(MARKER in one.value.lower() for one in facts)
    assert any(MARKER in one.prompt for one in decisions)
    assert tmp_path / "agents.db" in files
    places = {str(file): written for file, written in files.items()}
    places |= {"values": b"\n".join(values), "logs": caplog.text.encode()}
    for place, bytes_held in places.items():
        assert MARKER.encode() not in bytes_held.lower(), place
        assert MARKER.encode().hex().encode() not in bytes_held.lower(), place


def test_every_column_that_may_hold_what_people_say_is_sealed_or_has_a_reason() -> None:
    files = (yaml.safe_load(file.read_text()) for file in MODELS.glob("*.yaml"))
    clear = set()
    for model in (model for file in files for model in file["models"]):
        sealed = set(model.get("encryption", {}).get("fields", ()))
        clear |= {
            f"{model['table_name']}.{column['name']}"
            for column in model["columns"]
            if column["type"] in {"Text", "JSON", "LargeBinary"} and column["name"] not in sealed
        }

    assert clear == CLEAR.keys()
