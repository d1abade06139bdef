"""What a life has left behind, read from its database by plain SQL, past the engine's own code."""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from puppet_engine.storage.agent_locks import libpq_url
from puppet_engine.storage.gateway import MODELS
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Returns the rows of a query that SQLite and PostgreSQL understand alike."""

OpenRows = Callable[[str, Sequence[str], Sequence[Sequence[Any]]], Iterable[list[Any]]]
"""Opens what is sealed in rows: of a table, with these columns."""


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """One event. Moments can be compared, and are of the kind that the database gives."""

    sequence: int
    id: str
    agent: str | None
    type: str
    priority: int
    due_at: Any
    settled_as: int | None
    failures: int
    error: str | None
    post: str | None
    """Of a mention, and of a post that is told of."""


@dataclass(frozen=True, kw_only=True)
class IntentRow:
    """One thing that an agent wanted done outside."""

    id: str
    agent: str
    kind: str
    state: str
    result: str
    text: str
    answers: str | None
    """The post that it is an answer to."""
    follows: str | None
    """The intent before it in its thread."""


@dataclass(frozen=True, kw_only=True)
class AgentRow:
    """One agent."""

    id: str
    handle: str
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class MindRow:
    """What is kept of an agent's mind, and by how many marks its turns have left in it."""

    agent: str
    unanswered: int
    """How many of its posts have had no word said to them, by its mood."""
    moved: int
    """How often something that somebody said has moved it."""


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """What was decided in one turn."""

    event: str | None
    """The id of the event that the turn was taken for."""
    agent: str
    acts: str
    """With commas between them: `reply,like`."""

    @property
    def is_post(self) -> bool:
        """Whether the agent chose to say something of its own accord."""
        return "post" in self.acts.split(",")


@dataclass(frozen=True, kw_only=True)
class Published:
    """One post, as the world has it."""

    post_id: str
    handle: str
    text: str
    mentions: Sequence[str] = ()
    """Handles, in lower case."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that an audit looks at."""

    events: Sequence[EventRow]
    intents: Sequence[IntentRow]
    agents: Sequence[AgentRow]
    minds: Sequence[MindRow]
    decided: Sequence[DecisionRow]
    own_memories: Sequence[str]
    """The post of each memory of having said something."""
    kept_answers: Sequence[str]
    """The occasions of the answers of language models that are still kept."""
    published: Sequence[Published]
    is_one_process: bool
    """Then events are numbered without gaps, and all of an agent come in order, facts, too."""


EVENTS: Final = """
    SELECT sequence, id, agent_id, type, priority, due_at, settled_as, failures, error,
        payload, person_id
    FROM events ORDER BY sequence
"""
EVENT_COLUMNS: Final = (
    *("sequence", "id", "agent", "type", "priority", "due_at", "settled_as", "failures", "error"),
    *("payload", "person_id"),
)
POST_OF: Final = {"mention.received": "id", "post.published": "post_id"}
"""Where the payload of an event of such a type has its post."""
INTENTS: Final = """
    SELECT id, agent_id, kind, state, result, payload, person_id FROM intents ORDER BY sequence
"""
INTENT_COLUMNS: Final = ("id", "agent", "kind", "state", "result", "payload", "person_id")
AGENTS: Final = "SELECT id, handle, cursor FROM agents ORDER BY id"
MINDS: Final = """
    SELECT agent_id, unanswered, (
        SELECT count(*) FROM mood_moments
        WHERE mood_moments.agent_id = moods.agent_id AND event = 'mention.received'
    ) FROM moods ORDER BY agent_id
"""
DECIDED: Final = "SELECT DISTINCT event_id, agent_id, acts, at FROM decisions"
OWN_MEMORIES: Final = "SELECT origin FROM memories WHERE trust = 'self' AND origin IS NOT NULL"
KEPT_ANSWERS: Final = "SELECT occasion FROM model_answers"


def of_file(
    database: Path, published: Sequence[Published], *, keys: Path | None = None
) -> Evidence:
    """Read the evidence from the file of a life that has ended; `keys`: not those beside it."""
    url = f"sqlite:///{database}"
    with _opener(url, keys) as opener, closing(sqlite3.connect(database)) as file:
        return _read(lambda query: file.execute(query).fetchall(), published, opener, alone=True)


def of_server(database_url: str, published: Sequence[Published]) -> Evidence:
    """Read the evidence from a PostgreSQL whose workers have all ended."""
    with _opener(database_url, None) as opener, psycopg.connect(libpq_url(database_url)) as server:
        # The queries stand above, and hold nothing that anybody gave.
        return _read(
            lambda query: server.execute(query.encode()).fetchall(),
            published,
            opener,
            alone=False,
        )


@contextmanager
def _opener(url: str, keys: Path | None) -> Generator[OpenRows]:
    """Give what opens the rows of a table: what is sealed, only Timber can read."""
    settings = TimberSettings(
        database_url=url,
        model_config_dirs=(MODELS,),
        create_tables=False,
        embedder="none",
        keystore=None if keys is None else str(keys),
    )
    with Timber().opened(settings) as timber:
        yield timber.sealer.open_rows


def _read(
    ask: Ask, published: Sequence[Published], open_rows: OpenRows, *, alone: bool
) -> Evidence:
    return Evidence(
        events=[
            _event(dict(zip(EVENT_COLUMNS, row, strict=True)))
            for row in open_rows("events", EVENT_COLUMNS, ask(EVENTS))
        ],
        intents=[
            _intent(dict(zip(INTENT_COLUMNS, row, strict=True)))
            for row in open_rows("intents", INTENT_COLUMNS, ask(INTENTS))
        ],
        agents=[
            AgentRow(id=id_, handle=handle, cursor=cursor) for id_, handle, cursor in ask(AGENTS)
        ],
        minds=[
            MindRow(agent=agent, unanswered=unanswered, moved=moved)
            for agent, unanswered, moved in ask(MINDS)
        ],
        decided=[
            DecisionRow(event=event, agent=agent, acts=acts)
            for event, agent, acts, _ in ask(DECIDED)
        ],
        own_memories=[post for (post,) in ask(OWN_MEMORIES)],
        kept_answers=[occasion for (occasion,) in ask(KEPT_ANSWERS)],
        published=published,
        is_one_process=alone,
    )


def _event(row: dict[str, Any]) -> EventRow:
    del row["person_id"]
    payload = row.pop("payload")
    return EventRow(**row, post=payload.get(POST_OF.get(row["type"], "")))


def _intent(row: dict[str, Any]) -> IntentRow:
    del row["person_id"]
    payload = row.pop("payload")
    return IntentRow(
        **row,
        text=payload.get("text"),
        answers=payload.get("in_reply_to"),
        follows=payload.get("follows"),
    )
