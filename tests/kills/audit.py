"""What must be true of a life that was killed many times, asked of its file and of the world."""

import sqlite3
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Published:
    """One post, as the world has it."""

    post_id: str
    handle: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found; a sound life has no faults, and enough of everything."""

    turns: int
    posts: int
    faults: Sequence[str]


def audit(database: Path, published: Sequence[Published]) -> Audit:
    """Ask the file of a life, which has ended of its own accord, and the world what happened."""
    with closing(sqlite3.connect(database)) as opened:
        faults = [
            *_lost_events(opened),
            *_lost_or_repeated_effects(opened, published),
            *_broken_order(opened),
        ]
        (turns,) = opened.execute(
            "SELECT count(*) FROM events WHERE settled_at IS NOT NULL AND type LIKE '%.due'"
        ).fetchone()
    return Audit(turns=turns, posts=len(published), faults=faults)


def _lost_events(database: sqlite3.Connection) -> Iterable[str]:
    # SQLite numbers without gaps, and nothing here deletes: a gap is an event that is gone.
    rows, last = database.execute("SELECT count(*), max(sequence) FROM events").fetchone()
    if rows != last:
        yield f"{last - rows} events have vanished"
    settled, number = database.execute(
        "SELECT count(settled_as), max(settled_as) FROM events"
    ).fetchone()
    if settled != number:
        yield f"{settled} events were over, numbered up to {number}"
    for (error,) in database.execute("SELECT error FROM events WHERE error IS NOT NULL"):
        yield f"an event failed: {error}"
    # Each agent has its next post and its next look ahead of it: one of each, for ever.
    ahead = Counter(
        database.execute("SELECT agent_id, type FROM events WHERE settled_at IS NULL").fetchall()
    )
    for (agent,) in database.execute("SELECT id FROM agents").fetchall():
        for routine in ("post.due", "mentions.due"):
            if (pending := ahead[agent, routine]) != 1:
                yield f"{agent} has {pending} of {routine} ahead"
    wanted, kept = (
        database.execute(query).fetchone()[0]
        for query in (
            "SELECT count(*) FROM events WHERE settled_at IS NOT NULL AND type = 'post.due'",
            "SELECT count(*) FROM intents WHERE kind = 'post'",
        )
    )
    if wanted != kept:
        yield f"{wanted} posts fell due, {kept} were wanted"


def _lost_or_repeated_effects(
    database: sqlite3.Connection, published: Sequence[Published]
) -> Iterable[str]:
    for said, times in Counter((post.handle, post.text) for post in published).items():
        if times > 1:
            yield f"{said} was said {times} times"
    intents = database.execute("SELECT state, result, id FROM intents").fetchall()
    for state, result, intent in intents:
        if state != "done":
            yield f"intent {intent} is {state}: {result}"
    results = Counter(result for _, result, _ in intents)
    ids = Counter(post.post_id for post in published)
    if results != ids:
        yield f"done but not public: {results - ids}; public but not done: {ids - results}"
    kept = Counter(
        post
        for (post,) in database.execute(
            "SELECT json_extract(details, '$.post_id') FROM memories"
            " WHERE json_extract(details, '$.source') = 'self'"
        )
    )
    if kept != ids:
        yield f"remembered otherwise than said: {kept - ids} {ids - kept}"


def _broken_order(database: sqlite3.Connection) -> Iterable[str]:
    """Find events that were there before another, and due before it, but over after it."""
    taken: dict[str, list[Row]] = defaultdict(list)
    for agent, *row in database.execute(
        "SELECT agent_id, sequence, due_at FROM events"
        " WHERE settled_at IS NOT NULL AND failures = 0 AND agent_id IS NOT NULL"
        " ORDER BY settled_as DESC"
    ):
        taken[agent].append(tuple(row))
    for agent, rows in taken.items():
        later: list[Row] = []  # what was over later: for rising numbers, ever earlier moments
        for sequence, due in rows:
            place = bisect_left(later, (sequence,))
            if place and later[place - 1][1] < due:
                yield f"{agent}: event {later[place - 1][0]} had to wait for {sequence}"
            if not place or due < later[place - 1][1]:
                while place < len(later) and later[place][1] >= due:
                    del later[place]
                insort(later, (sequence, due))
