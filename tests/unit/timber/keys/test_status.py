"""What attention is drawn to."""

from dataclasses import replace

import pytest

from timber.common.keys.status import OLDEST_DAYS, KeyStatus, overdue

FRESH = KeyStatus(
    keystore="keys",
    keystore_id="00",
    master_key="keys/master.key",
    master_version=1,
    master_fingerprint="00000000",
    master_age_days=0,
    generation=1,
    subjects=3,
    data_keys=3,
    old_data_keys=0,
    erased_subjects=1,
    erased_since_master=0,
    index_versions=(1,),
    index_age_days=0,
    unfinished=(),
    attention=(),
)


def test_nothing_is_overdue_of_fresh_keys() -> None:
    at_the_border = replace(FRESH, master_age_days=OLDEST_DAYS, index_age_days=OLDEST_DAYS)

    assert list(overdue(FRESH)) == list(overdue(at_the_border)) == []


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (replace(FRESH, master_age_days=OLDEST_DAYS + 1), "`timber keys rotate`"),
        (replace(FRESH, index_age_days=OLDEST_DAYS + 1), "`timber keys rotate --indexes`"),
        (replace(FRESH, erased_since_master=2), "`timber keys rotate`"),
        (replace(FRESH, old_data_keys=2), "`timber keys retire`"),
        (replace(FRESH, unfinished=("master",)), "`timber keys rotate`"),
        (replace(FRESH, unfinished=("data",)), "`timber keys rotate --data`"),
        (replace(FRESH, unfinished=("indexes",)), "`timber keys rotate --indexes`"),
    ],
)
def test_what_is_overdue_is_told_with_what_to_do(found: KeyStatus, command: str) -> None:
    [told] = overdue(found)

    assert command in told


def test_indexes_that_nobody_has_do_not_age() -> None:
    assert not list(overdue(replace(FRESH, index_versions=(), index_age_days=1000)))
