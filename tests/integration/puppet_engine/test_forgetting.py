"""Who is to be forgotten is, in every table; others are remembered."""

import json
import shutil
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import JSON, String, func, select
from typing_extensions import override

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.decisions import Act, Decision
from puppet_engine.core.errors import PersonNotFoundError, StorageError
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import (
    AgentConfig,
    EventDraft,
    IntentDraft,
    IntentKind,
    Memory,
    TurnOutcome,
)
from puppet_engine.core.moods import Impulse, MoodChange, MoodState
from puppet_engine.core.relationships import Relationship
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.answers import StoredAnswers
from puppet_engine.storage.base import Arrival
from puppet_engine.storage.gateway import MODELS, Storage
from puppet_engine.storage.ledger import StoredLedger
from puppet_engine.storage.traces import Named, forget_person, traces_of

pytestmark = pytest.mark.integration

START = datetime(2026, 1, 5, 6, tzinfo=UTC)

CALM = MoodState(valence=0, arousal=0, as_of=START)
CLOSE = Relationship(handle="mira", familiarity=0.5, affinity=0.5, trust=0.5, as_of=START)

EXEMPT = {
    "account_meters": "how much of a rate limit is used up",
    "agents": "what the operator's persona files say",
    "persona_versions": "what the operator's persona files said",
    "schedules": "what the operator has planned",
    "journal_entries": "when a life began; the rehearsal world's own, which plays the network",
    "people": "goes with the erasure, and is told of by it",
    "said_prints": "marks of texts, which tell no words",
    "memory_uses": "how often a memory was of use",
    "memory_links": "which memory has to do with which",
    "moods": "what an agent feels",
    "model_spending": "what models cost",
}


def opened_on(url: str) -> Storage:
    return Storage(url, clock=VirtualClock(START), ids=random_id, embedder="static")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/puppets.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
async def storage(url: str) -> AsyncGenerator[Storage]:
    storage = opened_on(url)
    await storage.open()
    yield storage
    await storage.close()


def heard(handle: str, text: str) -> Memory:
    said = {"speaker": handle, "source": "network", "conversation_id": f"with {handle}"}
    return Memory(content=f"@{handle} said to me: {text}", metadata=said)


async def live(storage: Storage) -> None:
    """Take a turn in which Bob and Mira speak, and are answered."""
    ledger = StoredLedger(storage)
    await ledger.enrol(Arrival(config=AgentConfig(id="ada", name="Ada")))
    own = {"speaker": "ada", "source": "self"}
    await ledger.commit(
        "ada",
        None,
        TurnOutcome(
            memories=(
                heard("Bob", "my cat is called Biscuit"),
                heard("Mira", "I was born in Bergen"),
                Memory(content="I answered @bob: what a name", metadata=own),
                Memory(content="@mira told me that @Bob, of all people, sings", metadata=own),
                Memory(content="Bobs are short hair", metadata=own),
            ),
            intents=(
                IntentDraft(
                    kind=IntentKind.REPLY,
                    payload={"text": "what a name", "reply_to_handle": "Bob"},
                ),
                IntentDraft(kind=IntentKind.POST, payload={"text": "good morning @mira"}),
            ),
            events=(
                EventDraft(
                    type="mention.received",
                    agent_id="ada",
                    due_at=START,
                    payload={"author_handle": "bob", "text": "my cat is called Biscuit"},
                ),
                EventDraft(
                    type="text.held_back",
                    agent_id="ada",
                    due_at=START,
                    payload={"drafts": [{"text": "see https://x.com/bob/status/12"}]},
                ),
                EventDraft(type="post.due", agent_id="ada", due_at=START),
            ),
            relationships=(CLOSE.model_copy(update={"handle": "bob"}), CLOSE),
            mood=CALM,
            mood_changes=(
                MoodChange(
                    event="mention.received",
                    impulse=Impulse(valence=0.5, arousal=0.1),
                    before=CALM,
                    after=CALM,
                    reason="@bob was kind",
                ),
            ),
            decision=Decision(
                occasion="post.due",
                acts=(Act.POST,),
                why="it was time",
                mood=CALM,
                mood_name="calm",
                prompt="You may speak of what @Bob said.",
            ),
        ),
    )
    await StoredAnswers(storage).keep("ada 1", 0, request="0" * 64, answer="@bob, my dear")


async def rows_naming(storage: Storage, handle: str) -> dict[str, int]:
    """Return in how many rows of each table somebody is named, whatever the column."""
    named = Named(handle)

    def work(session: Any) -> dict[str, int]:
        found = {
            table.name: sum(
                any(
                    named.is_in(value, column.name)
                    for column, value in zip(table.c, row, strict=True)
                )
                for row in storage.opened(table, session.connection().execute(select(*table.c)))
            )
            for table in storage.tables()
        }
        return {name: count for name, count in found.items() if count}

    return await storage.read(work)


async def pieces(storage: Storage) -> int:
    """Return how many texts can be found; what they say is sealed."""
    table = next(one for one in storage.tables() if one.name == "vector_chunks")
    query = select(func.count()).select_from(table)
    return await storage.read(lambda session: int(session.scalar(query) or 0))


async def test_whoever_is_forgotten_is_named_in_no_table_and_others_are_remembered(
    storage: Storage,
) -> None:
    await live(storage)
    memory = SQLiteStore(Settings(), storage=storage)
    await memory.search_memories("ada", "what is the cat called?")  # takes the texts in
    of_mira = await rows_naming(storage, "mira")

    done = await forget_person(storage, "@BOB")

    assert await rows_naming(storage, "bob") == {}
    assert done.traces.rows == {
        "decisions": 2,  # one for each intent, and only the prompt names him
        "events": 2,
        "facts": 1,
        "intents": 1,
        "memories": 3,
        "model_answers": 1,
        "mood_moments": 1,
        "relationships": 1,
    }
    left = await rows_naming(storage, "mira")
    assert left == of_mira | {"memories": of_mira["memories"] - 1}
    assert await pieces(storage) == 5 - 3
    found = await memory.search_memories("ada", "what is the cat called?")
    assert [one.content for one in found if "Biscuit" in one.content] == []
    assert any("Bergen" in one.content for one in found)
    certificate = json.loads(done.certificate)
    assert certificate.pop("signature")
    assert certificate.pop("public_key")  # random letters: they may spell anybody
    assert "bob" not in json.dumps(certificate).lower()


async def test_what_is_counted_is_what_goes(storage: Storage) -> None:
    await live(storage)

    before = await traces_of(storage, "bob")
    done = await forget_person(storage, "bob")

    assert before.rows == done.traces.rows
    with pytest.raises(PersonNotFoundError, match="nothing here tells of @bob"):
        await traces_of(storage, "bob")
    with pytest.raises(PersonNotFoundError):
        await forget_person(storage, "nobody")


async def test_whoever_was_forgotten_can_be_met_again_and_forgotten_again(
    storage: Storage,
) -> None:
    await live(storage)
    memory = SQLiteStore(Settings(), storage=storage)
    await forget_person(storage, "bob")

    await memory.add_memory("ada", heard("bob", "hello, I am new here"))
    again = await traces_of(storage, "bob")
    await forget_person(storage, "bob")

    assert again.rows == {"memories": 1}
    assert await rows_naming(storage, "bob") == {}


class BreakingStorage(Storage):
    """One that is broken off when the rows are to go."""

    @override
    async def erase(self, *args: Any, **options: Any) -> str:
        raise StorageError("the power is out")


async def test_what_was_broken_off_is_done_by_the_next_call(url: str) -> None:
    broken = BreakingStorage(url, clock=VirtualClock(START), ids=random_id)
    await broken.open()
    await live(broken)
    with pytest.raises(StorageError, match="power"):
        await forget_person(broken, "bob")
    await broken.close()

    storage = opened_on(url)
    await storage.open()
    await forget_person(storage, "bob")

    assert await rows_naming(storage, "bob") == {}
    await storage.close()


async def test_a_backup_from_before_is_forgotten_when_it_is_opened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "puppets.db"
    storage = opened_on(f"sqlite:///{file}")
    await storage.open()
    await live(storage)
    await storage.close()
    backup = shutil.copy(file, tmp_path / "backup.db")
    await storage.open()
    await forget_person(storage, "bob")
    await storage.close()

    shutil.copy(backup, file)
    restored = opened_on(f"sqlite:///{file}")
    await restored.open()

    contents = [
        one.content for one in await SQLiteStore(Settings(), storage=restored).get_memories("ada")
    ]
    assert not [content for content in contents if "Biscuit" in content or "answered" in content]
    assert any("Bergen" in content for content in contents)
    assert "they were erased again" in caplog.text
    await restored.close()


async def test_every_table_that_holds_texts_can_be_searched_for_a_person(storage: Storage) -> None:
    """A new table has a `person_id`, or a reason above why it needs none."""
    files = (yaml.safe_load(file.read_text()) for file in MODELS.glob("*.yaml"))
    own = {model["table_name"] for file in files for model in file["models"]}
    with_texts = {
        table.name: "person_id" in table.c
        for table in storage.tables()
        if table.name in own
        and any(
            isinstance(storage.sealed(table).get(one.name, one.type), JSON | String)
            for one in table.c
        )
    }

    assert {name for name, has_person in with_texts.items() if not has_person} == EXEMPT.keys()
