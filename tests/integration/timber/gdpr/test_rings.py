"""Rows that need each other go with the person, by whatever way and in circles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.integration.timber.gdpr.conftest import later, settings_of

from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

MODELS = """
association_tables:
  - name: sheet_readers
    columns:
      - {name: sheet_id, type: Integer, foreign_key: sheets.id, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, primary_key: true}
models:
  - name: Sheet
    table_name: sheets
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: list_id, type: Integer, foreign_key: lists.id, nullable: false}
  - name: List
    table_name: lists
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
    gdpr: {enabled: true, user_id_field: user_id}
  - name: Item
    table_name: items
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: list_id, type: Integer, foreign_key: lists.id}
      - {name: next_id, type: Integer, foreign_key: items.id, nullable: false}
    gdpr: {enabled: true, user_id_field: list_id.user_id}
  - name: Post
    table_name: posts
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: answers, type: Integer, foreign_key: posts.id, nullable: false}
      - {name: thread_id, type: Integer, foreign_key: threads.id}
    gdpr: {enabled: true, user_id_field: user_id}
  - name: Thread
    table_name: threads
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: first_id, type: Integer, foreign_key: posts.id, nullable: false}
    gdpr: {enabled: true, user_id_field: user_id}
  - name: Word
    table_name: words
    columns:
      - {name: page, type: Integer, primary_key: true}
      - {name: number, type: Integer, primary_key: true}
      - {name: item_id, type: Integer, foreign_key: items.id, on_delete: cascade}
      - {name: after_page, type: Integer, nullable: false}
      - {name: after_number, type: Integer, nullable: false}
      - {name: gloss_id, type: Integer, foreign_key: glosses.id, on_delete: cascade}
    foreign_keys:
      - {columns: [after_page, after_number], references: [words.page, words.number]}
  - name: Gloss
    table_name: glosses
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: page, type: Integer, nullable: false}
      - {name: number, type: Integer, nullable: false}
    foreign_keys:
      - {columns: [page, number], references: [words.page, words.number]}
  - name: Purse
    table_name: purses
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: user_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: coin_id, type: Integer, foreign_key: coins.id, nullable: false}
    gdpr: {enabled: true, user_id_field: user_id}
  - name: Coin
    table_name: coins
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: purse_id, type: Integer, foreign_key: purses.id, nullable: false}
      - {name: mint_id, type: Integer, foreign_key: mints.id, nullable: false}
    gdpr: {enabled: true, user_id_field: purse_id.user_id}
  - name: Mint
    table_name: mints
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: purse_id, type: Integer, foreign_key: purses.id, nullable: false}
    gdpr: {enabled: true, user_id_field: purse_id.user_id}
"""


@pytest.fixture
def timber(database_url: str, tmp_path: Path) -> Iterator[Timber]:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.yaml").write_text(MODELS, encoding="utf-8")
    with Timber().opened(settings_of(database_url, tmp_path)) as opened:
        with opened.database.session_scope() as session:
            for name in ("ann", "bob"):
                session.add(opened.models.get("User")(user_id=name, email=name, username=name))
        store(opened, "lists", {"id": 0, "user_id": "ann"}, {"id": 1, "user_id": "bob"})
        yield opened


def store(timber: Timber, name: str, *rows: dict[str, Any]) -> None:
    with timber.database.engine.begin() as connection:
        connection.execute(insert(timber.base.metadata.tables[name]), list(rows))


def keys(timber: Timber, name: str) -> list[Any]:
    columns = list(timber.base.metadata.tables[name].primary_key)
    with timber.database.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]
    return [row[0] if len(row) == 1 else row for row in rows]


def store_ring(timber: Timber, of_list: int, first: int, count: int) -> None:
    """Store items each of which needs the next one, and the last one the first."""
    table = timber.base.metadata.tables["items"]
    numbers = range(first, first + count)
    store(timber, "items", *({"id": at, "list_id": of_list, "next_id": at} for at in numbers))
    with timber.database.engine.begin() as connection:
        ring = table.update().where(table.c.list_id == of_list)
        connection.execute(ring.where(table.c.id != numbers[-1]).values(next_id=table.c.id + 1))
        connection.execute(ring.where(table.c.id == numbers[-1]).values(next_id=first))


@pytest.mark.timeout(180)
def test_a_ring_larger_than_a_batch_goes_whole_and_others_stay(timber: Timber) -> None:
    store_ring(timber, 0, 1, 1_201)
    store_ring(timber, 1, 5_001, 3)

    certificate = timber.gdpr.erase("ann")

    assert certificate.tables["items"] == {"deleted": 1_201}
    assert certificate.count("emptied") == 0
    assert keys(timber, "items") == [5_001, 5_002, 5_003]


def test_rows_go_that_lead_to_the_person_through_circles_of_tables(timber: Timber) -> None:
    store_ring(timber, 0, 1, 1)
    store_ring(timber, 1, 5_001, 1)

    def word(page: int, number: int, after: tuple[int, int], **links: int) -> None:
        at = {"page": page, "number": number, "after_page": after[0], "after_number": after[1]}
        store(timber, "words", {**at, **links})

    word(1, 1, (1, 1), item_id=1)
    word(1, 2, (1, 1))
    store(timber, "glosses", {"id": 1, "page": 1, "number": 2})
    word(2, 1, (2, 1), gloss_id=1)
    word(2, 2, (2, 1))
    word(3, 1, (3, 1), item_id=5_001)
    store(timber, "glosses", {"id": 2, "page": 3, "number": 1})
    word(3, 2, (3, 1), gloss_id=2)
    word(4, 1, (4, 1))

    with timber.gdpr.export("ann") as rows:
        exported = [row.section for row in rows]
    planned = {one.table: one.rows for one in timber.gdpr.plan("ann").tables}
    certificate = timber.gdpr.erase("ann")

    assert (exported.count("Word"), exported.count("Gloss")) == (4, 1)
    assert (planned["words"], planned["glosses"]) == (4, 1)
    assert certificate.tables["words"] == {"deleted": 4}
    assert keys(timber, "words") == [(3, 1), (3, 2), (4, 1)]
    assert keys(timber, "glosses") == [2]


def test_the_plan_counts_what_is_emptied_to_the_end_of_the_chain(timber: Timber) -> None:
    """Bob answers the last of three of ann's posts, each of which answers the one before."""
    posts = [{"id": at, "user_id": "ann", "answers": max(at - 1, 1)} for at in range(1, 4)]
    store(timber, "posts", *posts, {"id": 9, "user_id": "ann", "answers": 9})
    store(timber, "threads", {"id": 1, "user_id": "ann", "first_id": 9})
    store(timber, "posts", {"id": 4, "user_id": "bob", "answers": 3})

    planned = {one.table: one for one in timber.gdpr.plan("ann").tables}
    certificate = timber.gdpr.erase("ann")

    assert (planned["posts"].rows, planned["posts"].emptied) == (4, 3)
    assert certificate.tables["posts"] == {"deleted": 1, "emptied": 3}
    # As bob's post needs those posts, they need their author.
    assert planned["users"].emptied == certificate.tables["users"]["emptied"] == 1
    assert keys(timber, "posts") == [1, 2, 3, 4]


def test_a_row_of_two_persons_goes_with_either_however_far_it_is_to_them(timber: Timber) -> None:
    """Who reads a sheet is found by one step, whose it is by three."""
    store(timber, "sheets", {"id": 1, "list_id": 0}, {"id": 2, "list_id": 1})
    both = [{"sheet_id": sheet, "user_id": who} for sheet in (1, 2) for who in ("ann", "bob")]
    store(timber, "sheet_readers", *both)

    certificate = timber.gdpr.erase("ann")

    assert certificate.tables["sheet_readers"] == {"deleted": 3}
    assert certificate.tables["sheets"] == {"deleted": 1}
    assert certificate.count("emptied") == 0
    assert keys(timber, "sheet_readers") == [(2, "bob")]


def store_purses(timber: Timber, who: str, first: int, count: int) -> None:
    """Store purses each of which needs a coin, that needs a mint; and both need the purse."""
    numbers = range(first, first + count)
    tables = timber.base.metadata.tables
    with timber.database.engine.begin() as connection:
        later(connection)
        for name, row in (
            ("purses", {"user_id": who}),
            ("coins", {}),
            ("mints", {}),
        ):
            links = {
                one.key: None
                for one in tables[name].c
                if one.key in {"coin_id", "purse_id", "mint_id"}
            }
            connection.execute(
                insert(tables[name]),
                [{"id": at, **row, **dict.fromkeys(links, at)} for at in numbers],
            )


def test_rows_of_several_tables_that_need_each_other_in_circles_go(timber: Timber) -> None:
    store_purses(timber, "ann", 1, 1_200)
    store_purses(timber, "bob", 5_001, 3)

    planned = {one.table: (one.rows, one.emptied) for one in timber.gdpr.plan("ann").tables}
    certificate = timber.gdpr.erase("ann")

    for name in ("purses", "coins", "mints"):
        assert planned[name] == (1_200, 0)
        assert certificate.tables[name] == {"deleted": 1_200}
        assert keys(timber, name) == [5_001, 5_002, 5_003]
    assert certificate.count("emptied") == 0


def test_of_circles_over_tables_those_stay_that_another_needs_and_no_others(
    timber: Timber,
) -> None:
    store_purses(timber, "ann", 1, 3)
    store_purses(timber, "bob", 4, 1)
    mints = timber.base.metadata.tables["mints"]
    coins = timber.base.metadata.tables["coins"]
    with timber.database.engine.begin() as connection:
        # Bob's coin is of a mint of ann's.
        connection.execute(coins.update().where(coins.c.id == 4).values(mint_id=2))
        connection.execute(mints.delete().where(mints.c.id == 4))

    planned = {one.table: (one.rows, one.emptied) for one in timber.gdpr.plan("ann").tables}
    certificate = timber.gdpr.erase("ann")

    for name in ("purses", "coins", "mints"):
        assert planned[name] == (3, 1)
        assert certificate.tables[name] == {"deleted": 2, "emptied": 1}
    assert keys(timber, "purses") == [2, 4]
