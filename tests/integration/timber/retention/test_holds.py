"""What is under a legal hold does not go: not along with others, and not in a batch that began."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.retention.conftest import ago, new_timber, settings_of
from tests.integration.timber.retention.test_retention import fill, ids, outcome

from timber.common.failpoints import armed
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Folder
    table_name: folders
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: parent_id, type: Integer, foreign_key: folders.id, on_delete: cascade}
      - {name: ended_at, type: DateTime}
      - {name: on_hold, type: Boolean}
    retention: {enabled: true, after: 1 days, since: ended_at, legal_hold: on_hold}
  - name: Matter
    table_name: matters
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: deed_id, type: Integer, foreign_key: deeds.id, on_delete: cascade}
      - {name: ended_at, type: DateTime}
      - {name: on_hold, type: Boolean}
    retention: {enabled: true, after: 1 days, since: ended_at, legal_hold: on_hold}
  - name: Deed
    table_name: deeds
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: matter_id, type: Integer, foreign_key: matters.id, on_delete: cascade}
  - name: Branch
    table_name: branches
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: parent_id, type: Integer, foreign_key: branches.id, on_delete: cascade}
      - {name: ended_at, type: DateTime}
    retention: {enabled: true, after: 1 days, since: ended_at}
"""


@pytest.fixture
def circles(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    settings = settings_of(database_url, tmp_path / "models")
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    with new_timber(FakeKeystore()).opened(settings) as opened:
        yield opened


def test_a_held_row_keeps_all_that_would_take_it_along_however_deep_it_lies(
    circles: Timber,
) -> None:
    fill(
        circles,
        "Folder",
        {"id": 1, "parent_id": None, "ended_at": ago(9)},
        {"id": 2, "parent_id": 1, "ended_at": ago(0)},
        {"id": 3, "parent_id": 2, "ended_at": ago(0), "on_hold": True},
        {"id": 11, "parent_id": None, "ended_at": ago(9)},
        {"id": 12, "parent_id": 11, "ended_at": ago(9)},
        {"id": 13, "parent_id": 12, "ended_at": ago(9)},
        {"id": 21, "parent_id": 21, "ended_at": ago(9)},
    )

    found = circles.retention.run()

    assert ids(circles, "folders") == [1, 2, 3]
    assert (outcome(found, "folders").rows, outcome(found, "folders").needed) == (4, 1)


def test_a_held_row_at_the_end_of_a_longer_circle_stays_too(circles: Timber) -> None:
    fill(circles, "Matter", {"id": 1, "ended_at": ago(9)}, {"id": 5, "ended_at": ago(9)})
    fill(circles, "Deed", {"id": 1, "matter_id": 1}, {"id": 5, "matter_id": 5})
    fill(circles, "Matter", {"id": 2, "deed_id": 1, "ended_at": ago(0), "on_hold": True})

    found = circles.retention.run()

    assert (ids(circles, "matters"), ids(circles, "deeds")) == ([1, 2], [1])
    assert outcome(found, "matters").needed == 1


def test_where_nothing_can_be_held_a_tree_goes_with_its_root(circles: Timber) -> None:
    fill(circles, "Branch", {"id": 1, "ended_at": ago(9)})
    fill(circles, "Branch", {"id": 2, "parent_id": 1, "ended_at": ago(0)})
    fill(circles, "Branch", {"id": 3, "parent_id": 2, "ended_at": ago(0)})
    circles.retention.hold("branches", reason="case 7")
    circles.retention.run()
    assert ids(circles, "branches") == [1, 2, 3]
    circles.retention.release("branches")

    circles.retention.run()

    assert ids(circles, "branches") == []


def test_when_a_table_is_held_no_batch_deletes_of_it_any_more(timber: Timber) -> None:
    """Whoever holds it while a batch is under way is told when that has ended, and not before."""
    fill(timber, "Letter", *({"id": number, "sent_at": ago(60)} for number in range(1_200)))
    left: list[int] = []

    def hold() -> None:
        timber.retention.hold("letters", reason="case 7")
        with timber.database.engine.connect() as connection:
            left.append(int(connection.scalar(text("SELECT count(*) FROM letters")) or 0))

    holding = threading.Thread(target=hold)

    def hook(point: str) -> None:
        if point == "retention.selected" and holding.ident is None:
            holding.start()
            holding.join(0.5)  # it would be through by then, if it waited for nothing

    with armed(hook):
        timber.retention.run(tables=["letters"])
    holding.join()

    assert left == [len(ids(timber, "letters"))]
