"""What identifiers promise."""

import uuid
from datetime import UTC, datetime, timedelta

from timber.common.ids import OrderedUuids


class SetClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2030, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


def test_ordered_uuids_sort_by_when_they_were_made_even_when_the_clock_goes_back() -> None:
    clock = SetClock()
    new_id = OrderedUuids(clock=clock)

    made = [new_id() for _ in range(5_000)]
    clock.moment -= timedelta(hours=1)
    made += [new_id() for _ in range(100)]
    clock.moment += timedelta(days=1)
    made.append(new_id())

    assert made == sorted(set(made))


def test_an_ordered_uuid_is_of_version_7_and_holds_the_moment() -> None:
    clock = SetClock()

    made = uuid.UUID(OrderedUuids(clock=clock)())

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(clock.moment.timestamp() * 1000)
