"""When a network wants to be asked again."""

from datetime import UTC, datetime, timedelta

import pytest

from puppet_engine.twitter.transport import read_retry_after

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("120", NOW + timedelta(minutes=2)),
        ("Mon, 05 Jan 2026 06:05:00 GMT", NOW + timedelta(minutes=5)),
        ("9" * 400, NOW + timedelta(days=1)),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_both_forms_of_the_header_are_read_and_nonsense_is_none(
    value: str, moment: datetime | None
) -> None:
    assert read_retry_after({"retry-after": value}, now=NOW) == moment


def test_without_the_header_there_is_no_moment() -> None:
    assert read_retry_after({}, now=NOW) is None
