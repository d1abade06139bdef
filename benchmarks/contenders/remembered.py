"""One agent with very many memories: how long it takes to keep one, and to recall what answers.

Talks of twenty turns, in words that are drawn as words are: the more common ones far more often.
Vectors have 384 numbers, as MiniLM's, but cost next to nothing: each word has a direction of its
own, and a text that of their sum.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from benchmarks.contenders.latencies import percentile
from benchmarks.harness.stage import Facts, Stage, Trial
from sqlalchemy import text

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import Memory, MemoryType
from puppet_engine.core.settings import Settings
from puppet_engine.memory.sqlite_store import SQLiteStore
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.rows import memory_row

AGENT: Final = "ada"
DIMENSION: Final = 384
WRITTEN: Final = 300
ASKED: Final = 200
INTERLEAVED: Final = 50
PAUSE_SECONDS: Final = 0.02
"""Between two writes: nobody hears more than fifty things a second."""

_BEGIN: Final = datetime(2023, 1, 1, 8, tzinfo=UTC)
_SPAN: Final = timedelta(days=3 * 365)
_TURNS: Final = 20
_PEOPLE: Final = 60
_WORDS: Final = 30_000
_LENGTH: Final = 14
_AT_ONCE: Final = 5_000
_LETTERS: Final = "bcdfghjklmnpqrtvwxz"


class Directions:
    """Gives a text the sum of the directions of its words."""

    model_id = "directions"
    dimension = DIMENSION

    def generate_embedding(self, text: str) -> Any:
        """Return a vector."""
        return self.generate_embeddings_batch([text])[0]

    def generate_embeddings_batch(self, texts: Sequence[str]) -> Any:
        """Return a vector for each text: shape (n, 384)."""
        return np.stack([sum(map(_direction, text.split())) for text in texts])


@lru_cache(maxsize=40_000)
def _direction(word: str) -> Any:
    seed = int.from_bytes(blake2b(word.encode(), digest_size=8).digest())
    return np.random.default_rng(seed).standard_normal(DIMENSION, dtype=np.float32)


class Talker:
    """Draws what people say."""

    def __init__(self, seed: int, *, size: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - data, not secrets
        self._words = [_word(number) for number in range(_WORDS)]
        self._weights = list(accumulate(1 / (rank + 1) for rank in range(_WORDS)))
        self._size = size

    def memory(self, number: int) -> Memory:
        """Return the memory of a turn; those of one talk have neighbouring numbers."""
        talk = number // _TURNS
        said = " ".join(self._chance.choices(self._words, cum_weights=self._weights, k=_LENGTH))
        who = f"person{talk % _PEOPLE}"
        at = _BEGIN + _SPAN * (number / self._size)
        return Memory(
            content=f"@{who} said to me: {said}" if number % 2 else f"I answered @{who}: {said}",
            type=MemoryType.INTERACTION,
            metadata={
                "conversation_id": f"talk {talk}",
                "speaker": who if number % 2 else AGENT,
                "occurred_at": at.isoformat(),
                "source": "network" if number % 2 else "self",
            },
        )

    def question(self) -> str:
        """Return a question: of a few words, a name in every other, a month in every fifth."""
        chance = self._chance
        words = [*chance.sample(self._words[5:500], 2), *chance.sample(self._words[500:20_000], 2)]
        who = f"person{chance.randrange(_PEOPLE)}" if chance.random() < 0.5 else "they"  # noqa: PLR2004
        when = f" in March {chance.choice((2023, 2024, 2025))}" if chance.random() < 0.2 else ""  # noqa: PLR2004
        return f"What did {who} say about {' '.join(words)}{when}?"


def _word(number: int) -> str:
    """Return a word that no stemmer knows an ending of."""
    word = ""
    while number or not word:
        number, letter = divmod(number, len(_LETTERS))
        word += _LETTERS[letter] + "o"
    return word + "q"


@contextlib.contextmanager
def fill(stage: Stage) -> Iterator[Trial]:
    """Let an agent remember so much, for all runs."""
    with asyncio.Runner() as runner:
        yield Trial(
            work=lambda: runner.run(_remember(stage)), check=lambda: {"memories": stage.size}
        )


async def _remember(stage: Stage) -> None:
    storage, store = _opened(stage, follows_texts=False)
    await storage.open()
    _embed_cheaply(storage)
    talker = Talker(7, size=stage.size)
    for begin in range(0, stage.size, _AT_ONCE):
        end = min(begin + _AT_ONCE, stage.size)
        rows = [memory_row(storage, AGENT, talker.memory(number)) for number in range(begin, end)]
        await storage.insert("Memory", rows)
        await store.search_memories(AGENT, "anything")
    engine = storage._timber.database.engine  # noqa: SLF001 - as autovacuum does
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")  # else that of the filling is under way
    await storage.close()


@contextlib.contextmanager
def live(stage: Stage) -> Iterator[Trial]:
    """Keep memories and recall some, one after the other, as an agent that lives does."""
    talker = Talker(time.monotonic_ns(), size=stage.size)
    measured = ("write", "recall", "embed", "at once", "write CPU", "recall CPU", "embed CPU")
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    with asyncio.Runner() as runner:
        storage, store = _opened(stage, follows_texts=True)
        runner.run(storage.open())
        _embed_cheaply(storage)
        for _ in range(10):
            runner.run(store.search_memories(AGENT, talker.question()))
        servers = _servers(storage)

        async def work() -> None:
            for number in range(WRITTEN):
                memory = talker.memory(stage.size + number)
                began = _processor_seconds(servers)
                seconds["write"].append(await _timed(store.add_memory(AGENT, memory)))
                seconds["write CPU"].append(_processor_seconds(servers) - began)
                await asyncio.sleep(PAUSE_SECONDS)
            await store.search_memories(AGENT, "what was written")
            for _ in range(ASKED):
                asked = talker.question()
                began, taken = time.perf_counter(), time.process_time()
                Directions().generate_embedding(asked)
                seconds["embed"].append(time.perf_counter() - began)
                seconds["embed CPU"].append(time.process_time() - taken)
                taken = _processor_seconds(servers)
                seconds["recall"].append(await _timed(store.search_memories(AGENT, asked)))
                seconds["recall CPU"].append(_processor_seconds(servers) - taken)
            for number in range(INTERLEAVED):
                await store.add_memory(AGENT, talker.memory(stage.size + WRITTEN + number))
                found = _timed(store.search_memories(AGENT, talker.question()))
                seconds["at once"].append(await found)

        yield Trial(work=lambda: runner.run(work()), check=lambda: _facts(seconds))
        runner.run(storage.close())


def _facts(seconds: Mapping[str, Sequence[float]]) -> Facts:
    return {
        "written": len(seconds["write"]),
        "asked": len(seconds["recall"]),
        **{
            f"{name} p{share}": 1000 * percentile(some, share)
            for name, some in seconds.items()
            for share in (50, 95)
        },
    }


def _servers(storage: Storage) -> list[Path]:
    """Return where Linux tells what the server's processes have taken of a processor."""
    engine = storage._timber.database.engine  # noqa: SLF001 - as above
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as connection:
        ours = text(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return [Path(f"/proc/{pid}/schedstat") for pid in connection.scalars(ours)]


def _processor_seconds(servers: Sequence[Path]) -> float:
    """Return what this process has taken of a processor, and the server's processes with it."""
    taken = (int(one.read_text().split()[0]) for one in servers)
    return time.process_time() + sum(taken) / 1e9


async def _timed(work: Any) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _opened(stage: Stage, *, follows_texts: bool) -> tuple[Storage, SQLiteStore]:
    clock = VirtualClock(_BEGIN + _SPAN)
    storage = Storage(
        stage.database_url,
        clock=clock,
        ids=random_id,
        embedder="static",
        follows_texts=follows_texts,
    )
    return storage, SQLiteStore(Settings(), storage=storage, clock=clock)


def _embed_cheaply(storage: Storage) -> None:
    """Embed by `Directions` from now on; nothing was embedded yet, or by these."""
    timber = storage._timber  # noqa: SLF001 - settings name no embedder of a benchmark's
    timber.vector_search.embedding_service = Directions()
    timber.vector_ingestion.embedding_service = Directions()
