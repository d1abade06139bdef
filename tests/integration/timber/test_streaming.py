"""What streaming promises, on SQLite in memory, in a file, and on PostgreSQL."""

import tracemalloc
from typing import Any

import pytest
from sqlalchemy import select, text
from tests.integration.timber.conftest import add

from timber.common.errors import SchemaMismatchError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

LIMIT = 5 * 2**20


def fill(timber: Timber, rows: int, *, more: str = "") -> type[Any]:
    """Store a number of entries, with more in each text, and return their model."""
    account, entry = timber.models.get("Account"), timber.models.get("Entry")
    add(timber, account(id="a", label="a"))
    timber.database.bulk_insert(
        entry, ({"account_id": "a", "text": f"entry {number}{more}"} for number in range(rows))
    )
    return entry


def in_use(timber: Timber) -> int:
    return timber.database.health().pool.in_use


def test_a_stream_gives_every_row_in_order(timber: Timber) -> None:
    entry = fill(timber, 1_001)

    streamed = timber.database.stream(select(entry).order_by(entry.sequence), batch=10)

    assert [row.text for row in streamed] == [f"entry {number}" for number in range(1_001)]
    assert in_use(timber) == 0


def test_one_column_comes_bare_and_several_as_rows(timber: Timber) -> None:
    entry = fill(timber, 2)

    bare = timber.database.stream(select(entry.text).order_by(entry.sequence))
    rows = timber.database.stream(select(entry.text, entry.account_id).order_by(entry.sequence))
    raw = timber.database.stream(text("SELECT count(*) FROM entries"))

    assert list(bare) == ["entry 0", "entry 1"]
    assert list(rows) == [("entry 0", "a"), ("entry 1", "a")]
    assert list(raw) == [(2,)]


def test_a_stream_that_is_left_early_gives_its_connection_back(timber: Timber) -> None:
    entry = fill(timber, 500)

    for row in timber.database.stream(select(entry), batch=10):
        assert row.text
        break
    after_break = in_use(timber)
    with timber.database.stream(select(entry), batch=10) as rows:
        next(rows)
        within = in_use(timber)

    assert (after_break, within, in_use(timber)) == (0, 1, 0)


def test_a_stream_that_fails_gives_its_connection_back(timber: Timber) -> None:
    with pytest.raises(SchemaMismatchError):
        list(timber.database.stream(text("SELECT * FROM nowhere")))

    assert in_use(timber) == 0


async def test_the_event_loop_streams_as_well(timber: Timber) -> None:
    entry = fill(timber, 1_001)

    async with timber.database.async_stream(select(entry), batch=100) as rows:
        texts = {row.text async for row in rows}
    async with timber.database.async_stream(select(entry), batch=100) as rows:
        async for _ in rows:
            break

    assert len(texts) == 1_001
    assert in_use(timber) == 0


@pytest.mark.parametrize(
    "rows", [8_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
@pytest.mark.parametrize("whole", [True, False], ids=["models", "columns"])
def test_any_number_of_rows_is_read_in_five_mebibytes(
    timber: Timber, rows: int, whole: bool
) -> None:
    # So large that what is not given back shows in a few rows: in all, at least thrice the limit.
    entry = fill(timber, rows, more="x" * 2_000 if rows < 1_000_000 else "")
    wanted = select(entry) if whole else select(entry.sequence, entry.text)
    for _ in timber.database.stream(wanted.limit(1)):
        pass  # what is compiled once is kept

    tracemalloc.start()
    try:
        count = sum(1 for _ in timber.database.stream(wanted))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == rows
    assert peak <= LIMIT
