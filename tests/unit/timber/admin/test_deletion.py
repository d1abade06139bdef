"""Deleting, restoring, and deleting for ever."""

from tests.unit.timber.admin.conftest import Visitor


def test_a_deleted_row_leaves_the_list_and_is_shown_among_the_deleted(visitor: Visitor) -> None:
    key = visitor.add("Author", name="Ada")

    visitor.act("Author", "delete", pk=key)

    assert visitor.row("Author", key).deleted_at == visitor.clock.now()
    assert "Ada" not in visitor.get("/Author/list").text.partition("<table")[2]
    deleted = visitor.get("/Author/list", deleted="1").text
    assert "Ada" in deleted
    assert "Showing 1 to 1 of 1" in deleted


def test_a_restored_row_is_back(visitor: Visitor) -> None:
    key = visitor.add("Author", name="Ada", deleted_at=visitor.clock.now())

    visitor.act("Author", "restore", pk=key)

    assert visitor.row("Author", key).deleted_at is None


def test_only_a_deleted_row_can_be_deleted_for_ever(visitor: Visitor) -> None:
    key = visitor.add("Author", name="Ada")

    too_soon = visitor.act("Author", "erase", pk=key)
    visitor.act("Author", "delete", pk=key)
    erased = visitor.act("Author", "erase", pk=key)

    assert too_soon.status_code == 400
    assert erased.status_code == 200
    assert visitor.row("Author", key) is None


def test_a_row_that_others_point_to_is_not_deleted_for_ever(visitor: Visitor) -> None:
    key = visitor.add("Author", name="Ada", deleted_at=visitor.clock.now())
    visitor.add("Book", author_id=key, title="Notes")

    answer = visitor.act("Author", "erase", pk=key)

    assert answer.status_code == 400
    assert "delete the rows that point to it first" in answer.json()["msg"]
    assert visitor.row("Author", key) is not None


def test_links_of_a_many_to_many_go_with_the_row(visitor: Visitor) -> None:
    author, subject = visitor.add("Author", name="Ada"), visitor.add("Subject", label="maths")
    key = visitor.add("Book", author_id=author, title="Notes")
    form = {"author_id": author, "title": "Notes", "in_print": "true", "subjects": subject}
    visitor.edit("Book", key, {**form, "state": "draft"})

    answer = visitor.act("Book", "erase", pk=key)

    assert answer.status_code == 200
    assert visitor.row("Book", key) is None
    assert visitor.row("Subject", int(subject)).label == "maths"


def test_all_that_a_filter_selects_are_deleted_and_restored(visitor: Visitor) -> None:
    keys = [visitor.add("Author", name=f"Ada {number}") for number in range(3)]
    other = visitor.add("Author", name="Eve")

    visitor.post("/_api/Author/action", name="delete", all="1", _list_query="?q=Ada")
    deleted = [visitor.row("Author", key).deleted_at for key in (*keys, other)]
    visitor.post("/_api/Author/action", name="restore", all="1", _list_query="?q=Ada&deleted=1")

    assert [bool(moment) for moment in deleted] == [True, True, True, False]
    assert all(visitor.row("Author", key).deleted_at is None for key in keys)
