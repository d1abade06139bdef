from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from puppet_engine.core.models import MemoryType
from puppet_engine.core.provenance import Trust
from puppet_engine.core.remembrance import Remembrance
from puppet_engine.memory.forgetting import letting_go, worth

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def one(
    number: int = 0, *, days: float = 0, importance: float = 0.5, uses: int = 0
) -> Remembrance:
    return Remembrance(
        id=f"m{number}",
        content=f"@mira said to me: the harbour at night, number {number}",
        type=MemoryType.INTERACTION,
        importance=importance,
        moment=NOW - timedelta(days=days),
        speaker="mira",
        trust=Trust.STRANGER,
        uses=uses,
    )


def test_nothing_goes_while_there_is_room() -> None:
    assert letting_go([one(n) for n in range(10)], room=10, now=NOW).ids == ()


def test_the_oldest_of_equals_goes_first_and_a_little_room_is_left() -> None:
    memories = [one(n, days=100 - n) for n in range(101)]

    gone = letting_go(memories, room=100, now=NOW)

    assert gone.ids == tuple(f"m{n}" for n in range(11))


def test_what_is_important_or_used_stays_before_what_is_neither() -> None:
    memories = [one(0, days=30), one(1, days=30, importance=0.9), one(2, days=30, uses=20)]
    memories += [one(n) for n in range(3, 11)]

    gone = letting_go(memories, room=10, now=NOW)

    assert gone.ids[0] == "m0"
    assert worth(memories[2], now=NOW) > worth(memories[0], now=NOW)


def test_core_memories_and_what_the_operator_gave_never_go() -> None:
    core = replace(one(0, days=9_000, importance=0), type=MemoryType.CORE)
    given_ = replace(one(1, days=9_000, importance=0), trust=Trust.OPERATOR)
    memories = [core, given_, *(one(n) for n in range(2, 60))]

    gone = letting_go(memories, room=10, now=NOW)

    assert not {"m0", "m1"} & set(gone.ids)
    assert len(memories) - len(gone.ids) == 9


def test_of_many_that_go_it_is_told_who_spoke_of_what() -> None:
    memories = [one(n, days=400) for n in range(20)] + [one(n) for n in range(20, 30)]

    gone = letting_go(memories, room=12, now=NOW)

    (digest,) = gone.digests
    assert digest.content.startswith("In May 2025 @mira and I spoke of harbour, night, number")
    assert digest.metadata["let_go"] == len(gone.ids)
    assert digest.metadata["source"] == "derived"


@given(st.integers(0, 80), st.integers(1, 60))
def test_there_is_room_again_whatever_was_there(count: int, room: int) -> None:
    memories = [one(n, days=n % 7, importance=n % 3 / 3) for n in range(count)]

    gone = letting_go(memories, room=room, now=NOW)

    assert count - len(gone.ids) <= max(room, 0)
    assert len(set(gone.ids)) == len(gone.ids)


days = st.floats(0, 5_000)
share = st.floats(0, 1)


@given(days, days, share, share, st.integers(0, 99), st.integers(0, 99))
def test_worth_rises_with_importance_freshness_and_use(
    d1: float, d2: float, i1: float, i2: float, u1: int, u2: int
) -> None:
    better = one(days=min(d1, d2), importance=max(i1, i2), uses=max(u1, u2))
    worse = one(days=max(d1, d2), importance=min(i1, i2), uses=min(u1, u2))

    assert worth(better, now=NOW) >= worth(worse, now=NOW)
