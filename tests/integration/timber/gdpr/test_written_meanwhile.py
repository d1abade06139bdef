"""What is written about a person during an erasure goes, too, or the erasure does not end."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.integration.timber.gdpr.conftest import naming, plant, settings_of, stored

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


def test_a_transaction_that_is_open_when_the_certificate_is_signed_is_waited_for_on_postgresql(
    postgresql_url: str, tmp_path: Path
) -> None:
    visits = {"id": 1_000, "user_id": "ann", "page": "ann's page"}
    with Timber().opened(settings_of(postgresql_url, tmp_path)) as timber:
        plant(timber, "ann", "bob")
        writer = timber.database.engine.connect()
        waits: list[float] = []

        def begin_to_write(point: str) -> None:
            if point == Failpoint.ALMOST_CERTIFIED and not waits:
                writer.execute(insert(timber.base.metadata.tables["visits"]), visits)

        def wait(seconds: float) -> None:
            waits.append(seconds)
            writer.commit()

        use_sleep(timber, wait)
        with writer, armed(begin_to_write):
            certificate = timber.gdpr.erase("ann")

        assert len(waits) == 1
        assert certificate.tables["visits"]["deleted"] == 1 + 1
        assert naming(stored(timber), "ann") == {}


def test_an_erasure_that_waits_in_vain_for_a_writer_says_so_and_goes_on_later(
    postgresql_url: str, tmp_path: Path
) -> None:
    with Timber().opened(settings_of(postgresql_url, tmp_path)) as timber:
        plant(timber, "ann", "bob")
        use_sleep(timber, lambda _: None)
        table = timber.base.metadata.tables["visits"]
        with timber.database.engine.connect() as writer:
            writer.execute(insert(table), {"id": 1_000, "user_id": "bob", "page": "bob's page"})
            with pytest.raises(ErasureError, match="pg_stat_activity"):
                timber.gdpr.erase("ann")
            assert timber.gdpr.status()[0].certificate is None
            writer.commit()

        timber.gdpr.erase("ann")

        assert naming(stored(timber), "ann") == {}
        assert naming(stored(timber), "bob")["visits"] == 2


def use_sleep(timber: Timber, sleep: Callable[[float], None]) -> None:
    """Have an erasure wait so, and for two seconds at most."""
    opened = timber.gdpr._opened
    assert opened is not None
    eraser = replace(opened.eraser, sleep=sleep, longest_wait_seconds=2)
    timber.gdpr._opened = replace(opened, eraser=eraser)
