"""What lists show, find and hide."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from tests.unit.timber.admin.conftest import OpenSite, Visitor

from timber.admin.counting import COUNTED, READ_THROUGH


def test_a_search_looks_into_text_and_takes_signs_as_they_are(visitor: Visitor) -> None:
    for name in ("Ada 100%", "Bob 100", "Eve"):
        visitor.add("Author", name=name)

    page = visitor.get("/Author/list", q="100%").text

    assert "Ada 100%" in page
    assert "Bob 100" not in page


def test_a_list_is_sorted_and_cut_into_pages(visitor: Visitor) -> None:
    for number in range(12):
        visitor.add("Subject", label=f"label {number:02}")

    page = visitor.get("/Subject/list", sort="label__desc", page="2", page_size="10").text

    assert "label 01" in page
    assert "label 02" not in page
    assert page.index("label 01") < page.index("label 00")


def test_a_filter_narrows_a_list(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    visitor.add("Book", author_id=author, title="Thin", pages=3)
    visitor.add("Book", author_id=author, title="Thick", pages=900)

    page = visitor.get("/Book/list", filter="pages__gt=100").text

    assert "Thick" in page
    assert "Thin" not in page


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this machine in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_greenwich")
def test_a_moment_in_a_filter_is_in_utc(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    visitor.add("Book", author_id=author, title="Then", printed_at=visitor.clock.now())

    def found(start: str, end: str) -> bool:
        condition = f"printed_at__between={start}..{end}"
        return "Then" in visitor.get("/Book/list", filter=condition).text

    assert found("2026-06-01T11:59", "2026-06-01T12:01")
    assert not found("2026-06-01T12:01", "2026-06-01T13:00")


def test_a_reference_is_shown_by_name_and_leads_to_the_row(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    visitor.add("Book", author_id=author, title="Notes")

    page = visitor.get("/Book/list").text

    assert f"/Author/detail?pk={author}" in page
    assert ">Ada</a>" in page


def test_a_page_of_references_costs_one_query_for_each_reference(visitor: Visitor) -> None:
    for number in range(20):
        author = visitor.add("Author", name=f"author {number}")
        visitor.add("Book", author_id=author, title=f"book {number}")
    statements: list[str] = []
    event.listen(
        visitor.timber.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: statements.append(statement),
    )

    visitor.get("/Book/list")

    assert len(statements) == 4, statements


def test_who_points_at_a_row_is_linked_and_not_loaded(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    visitor.add("Book", author_id=author, title="Notes")
    visitor.add("Book", author_id=visitor.add("Author", name="Eve"), title="Other")

    page = visitor.get("/Author/detail", pk=author).text
    link = page.partition("/Book/list?filter=")[2].partition('"')[0]
    listed = visitor.client.get(f"/Book/list?filter={link}").text

    assert "Notes" not in page
    assert "Notes" in listed
    assert "Other" not in listed


def test_a_picker_gets_twenty_rows_at_a_time_without_the_deleted(visitor: Visitor) -> None:
    for number in range(30):
        visitor.add("Author", name=f"author {number}")
    visitor.add("Author", name="gone", deleted_at=visitor.clock.now())

    answer = visitor.get("/_api/Author/relation-lookup", limit="20").json()
    gone = visitor.get("/_api/Author/relation-lookup", q="gone").json()

    assert (len(answer["items"]), answer["total"]) == (20, 30)
    assert gone["items"] == []


HOSTILE = "<img src=x onerror=alert(1)>"


def test_what_is_stored_is_never_markup(open_site: OpenSite) -> None:
    visitor = open_site(
        """
        models:
          - name: Page
            table_name: pages
            columns:
              - {name: id, type: String(90), primary_key: true}
              - {name: title, type: String(90)}
              - {name: body, type: JSON}
        """
    )
    visitor.log_in()
    key = f'"\\{HOSTILE}'
    visitor.add("Page", id=key, title=HOSTILE, body={HOSTILE: "</script><b>"})

    pages = [
        visitor.get("/Page/list", q="img").text,
        visitor.get("/Page/detail", pk=key).text,
        visitor.get("/Page/edit", pk=key).text,
        *(
            item["_meta"]["select2"]["result"]
            for item in visitor.get("/_api/Page/relation-lookup").json()["items"]
        ),
    ]

    for page in pages:
        assert "<img" not in page
        assert "</script><b>" not in page
        assert "&lt;img" in page


def test_a_masked_value_never_leaves_the_server(visitor: Visitor) -> None:
    key = visitor.add("Author", name="Ada", diary="dear diary")

    pages = [
        visitor.get("/Author/list").text,
        visitor.get("/Author/detail", pk=key).text,
        visitor.get("/Author/edit", pk=key).text,
        visitor.get("/_api/Author/relation-lookup").text,
    ]

    assert not any("dear diary" in page for page in pages)
    assert "••••••" in pages[0]


def test_a_masked_value_cannot_be_guessed_by_searching_filtering_or_sorting(
    visitor: Visitor,
) -> None:
    visitor.add("Author", name="Ada", diary="dear diary")
    visitor.clock.pass_by(1)
    visitor.add("Author", name="Eve", diary="a secret")

    searched = visitor.get("/Author/list", q="dear").text
    filtered = visitor.get("/Author/list", filter="diary__starts_with=d")
    one_way = visitor.get("/Author/list", sort="diary__asc").text.partition("<tbody")[2]
    other_way = visitor.get("/Author/list", sort="diary__desc").text.partition("<tbody")[2]

    assert "No rows" in searched
    assert filtered.status_code == 400
    assert (one_way.index("Ada") < one_way.index("Eve")) == (
        other_way.index("Ada") < other_way.index("Eve")
    )


def test_a_masked_value_is_replaced_by_what_is_typed_and_else_kept(visitor: Visitor) -> None:
    key = visitor.add("Author", name="Ada", diary="dear diary")

    visitor.edit("Author", key, {"name": "Ada L.", "diary": ""})
    kept = visitor.row("Author", key)
    visitor.edit("Author", key, {"name": "Ada L.", "diary": "new"})

    assert (kept.name, kept.diary) == ("Ada L.", "dear diary")
    assert visitor.row("Author", key).diary == "new"


def test_a_large_table_is_not_counted_to_its_end(visitor: Visitor) -> None:
    subject = visitor.timber.models.get("Subject")
    with visitor.timber.database.session_scope() as session:
        rows = [{"id": number, "label": f"{number}"} for number in range(COUNTED + 500)]
        session.execute(subject.__table__.insert(), rows)

    page = visitor.get("/Subject/list").text

    assert "of more than 10,000 entries" in page
    assert "more than 10,000" in visitor.get("/").text


def test_a_search_in_a_large_table_reads_an_index_and_says_what_it_finds(
    visitor: Visitor,
) -> None:
    database, subject = visitor.timber.database, visitor.timber.models.get("Subject")
    rows = ({"id": number, "label": f"label {number}"} for number in range(READ_THROUGH + 1))
    database.bulk_insert(subject, rows)
    asked: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, values, *_: asked.append((statement, values)),
    )

    whole = visitor.get("/Subject/list", q="label 77777").text
    searches = [one for one in asked if "label 77777" in one[1]]
    part = visitor.get("/Subject/list", q="label 7777").text
    none = visitor.get("/Subject/list", q="abel 7777").text
    unsearched = visitor.get("/Subject/list").text

    assert "label 77777" in whole.partition("<tbody")[2]
    assert "label 77777" not in part.partition("<tbody")[2]
    assert "No rows match" in none
    assert "Finds whole values of the key, label" in whole
    assert "Finds whole values" not in unsearched
    with database.engine.connect() as connection:
        for statement, values in searches:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert not [step for step in plan if step.detail.startswith("SCAN subjects")], plan
    assert searches


def test_a_search_in_a_small_table_says_nothing_of_whole_values(visitor: Visitor) -> None:
    visitor.add("Subject", label="one")

    assert "Finds whole values" not in visitor.get("/Subject/list", q="on").text


def test_the_newest_rows_come_first_unless_that_would_sort_a_large_table(
    visitor: Visitor,
) -> None:
    for name in ("first", "second"):
        visitor.add("Author", name=name, created_at=visitor.clock.now())
        visitor.clock.pass_by(1)
    small = visitor.get("/Author/list").text.partition("<tbody")[2]
    author = visitor.timber.models.get("Author")
    with visitor.timber.database.session_scope() as session:
        rows = [{"id": f"{number:06}", "name": f"{number:06}"} for number in range(COUNTED)]
        session.execute(insert(author), rows)
    large = visitor.get("/Author/list").text.partition("<tbody")[2]
    asked = visitor.get("/Author/list", sort="created_at__asc").text.partition("<tbody")[2]

    assert small.index("second") < small.index("first")
    assert large.index("000000") < large.index("000024")
    assert "first" not in large
    assert asked.index("first") < asked.index("second")


def test_a_site_that_is_read_only_offers_and_does_no_change(open_site: OpenSite) -> None:
    visitor = open_site(read_only=True)
    visitor.log_in()
    key = visitor.add("Author", name="Ada")

    answers = [
        visitor.get("/Author/create").status_code,
        visitor.post("/Author/create", {"name": "Eve"}).status_code,
        visitor.edit("Author", key, {"name": "Eve"}).status_code,
        visitor.act("Author", "delete", pk=key).status_code,
    ]

    assert answers == [403, 403, 403, 400]
    assert visitor.row("Author", key).name == "Ada"
    assert "New Author" not in visitor.get("/Author/list").text


@pytest.mark.parametrize("path", ["/_api/Author/import", "/Author/import"])
def test_nothing_is_imported(visitor: Visitor, path: str) -> None:
    assert visitor.post(path).status_code in {403, 404, 405}


def test_templates_of_the_folder_it_runs_in_are_not_used(
    open_site: OpenSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "login.html").write_text("planted", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert "planted" not in open_site().get("/login").text


def test_encrypted_fields_are_masked(open_site: OpenSite) -> None:
    visitor = open_site(
        """
        models:
          - name: Note
            table_name: notes
            columns:
              - {name: id, type: Integer, primary_key: true}
              - {name: body, type: Text}
            encryption: {enabled: false, fields: [body]}
        """
    )
    visitor.log_in()
    visitor.add("Note", body="dear diary")

    page = visitor.get("/Note/list").text

    assert "dear diary" not in page
    assert "••••••" in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Book/list?page=99999999999999999999999", 200),
        ("/Book/list?filter=pages__gt%3D99999999999999999999999999", 400),
        ("/Book/list?filter=nonsense", 400),
        ("/Book/list?sort=nonsense__asc", 200),
        ("/Book/detail?pk=%00", 404),
        ("/Subject/detail?pk=99999999999999999999", 404),
        ("/Nothing/list", 404),
    ],
)
def test_an_address_made_by_hand_is_answered_and_not_a_crash(
    visitor: Visitor, path: str, status: int
) -> None:
    assert visitor.client.get(path).status_code == status


SEALED = """
    models:
      - name: Note
        table_name: notes
        mixins: [SoftDeleteMixin]
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: title, type: String(40), unique: true, nullable: false}
          - {name: body, type: Text}
          - {name: score, type: Integer}
          - {name: data, type: JSON}
        encryption:
          enabled: true
          fields: [body, score, data, {name: title, searchable: true}]
    """


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Note/list", 200),
        ("/Note/list?search=dear", 200),
        ("/Note/list?sort=body__asc", 200),
        ("/Note/list?sort=title__desc", 200),
        ("/Note/list?filter=body__eq%3Ddear", 200),
        ("/Note/list?filter=title__eq%3Ddear", 200),
        ("/Note/list?filter=score__gt%3D1", 200),
    ],
)
def test_sealed_fields_are_masked_and_nothing_asks_the_database_for_them(
    open_site: OpenSite, path: str, status: int
) -> None:
    visitor = open_site(SEALED)
    visitor.log_in()
    visitor.add("Note", title="dear title", body="dear diary", score=7777, data={"a": "dear"})

    page = visitor.get(path)

    assert page.status_code == status
    assert not any(one in page.text for one in ("dear diary", "dear title", "7777", "Ciphertext"))
