"""What is written about a person during an erasure goes, too, or the erasure does not end."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from sqlalchemy import insert
from tests.integration.timber.gdpr.conftest import naming, plant, stored

from timber.common.errors import ErasureError
from timber.common.failpoints import armed
from timber.common.gdpr.failpoints import Failpoint
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def writer(timber: Timber, at: Failpoint, most: int) -> Callable[[str], None]:
    """Return a hook that has an application write of ann whenever it passes a failpoint."""
    numbers = count(1_000)

    def hook(point: str) -> None:
        if point != at:
            return
        number = next(numbers)
        if number < 1_000 + most:
            row: dict[str, Any] = {"id": number, "user_id": "ann", "page": f"ann's page {number}"}
            with timber.database.engine.begin() as connection:
                connection.execute(insert(timber.base.metadata.tables["visits"]), row)

    return hook


@pytest.mark.parametrize(
    "at", [Failpoint.ROWS_GONE, Failpoint.SWEPT, Failpoint.TEXTS_GONE, Failpoint.CACHES_GONE]
)
def test_rows_that_an_application_writes_meanwhile_are_gone_in_the_end(
    timber: Timber, at: Failpoint
) -> None:
    plant(timber, "ann", "bob")

    with armed(writer(timber, at, most=7)):
        certificate = timber.gdpr.erase("ann")

    assert naming(stored(timber), "ann") == {}
    assert certificate.tables["visits"]["deleted"] == 1 + 7
    assert naming(stored(timber), "bob")["notes"] == 3


def test_a_document_that_comes_after_the_texts_went_goes_too(timber: Timber) -> None:
    plant(timber, "ann", "bob")
    left = ["a document"]

    def hook(point: str) -> None:
        if point == Failpoint.CACHES_GONE and left:
            text = f"ann's {left.pop()}"
            timber.vector_ingestion.ingest_document(text, "documents", "of-ann", owner="ann")

    with armed(hook):
        certificate = timber.gdpr.erase("ann")

    assert naming(stored(timber), "ann") == {}
    assert certificate.facts["texts"] == 4 + 1


def test_an_erasure_that_cannot_keep_up_says_so_and_goes_on_when_nobody_writes(
    timber: Timber,
) -> None:
    plant(timber, "ann", "bob")

    with (
        armed(writer(timber, Failpoint.ROWS_GONE, most=1_000)),
        pytest.raises(ErasureError, match="written faster"),
    ):
        timber.gdpr.erase("ann")

    [status] = timber.gdpr.status()
    assert (status.step, status.certificate) == ("rows", None)
    timber.gdpr.erase("ann")
    assert naming(stored(timber), "ann") == {}
