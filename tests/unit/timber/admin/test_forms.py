"""What forms accept, and what they say at the field when they do not."""

from decimal import Decimal

import pytest
from tests.unit.timber.admin.conftest import Visitor, error_at


def book(author: str, **values: str) -> dict[str, str]:
    return {"author_id": author, "title": "Notes", "state": "draft", "in_print": "true", **values}


def test_a_form_stores_a_value_of_each_type(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    form = book(
        author,
        pages="65",
        price="12.50",
        printed_at="1843-09-01 12:30",
        notes='{"first": ["programme"]}',
        in_print="false",
    )

    visitor.post("/Book/create", form)

    with visitor.timber.database.session_scope() as session:
        [stored] = session.query(visitor.timber.models.get("Book")).all()
    assert (stored.pages, stored.price, stored.notes) == (
        65,
        Decimal("12.50"),
        {"first": ["programme"]},
    )
    assert stored.printed_at.isoformat() == "1843-09-01T12:30:00+00:00"
    assert stored.in_print is False


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("title", "", "must have a value"),
        ("title", "x" * 41, "at most 40 fit"),
        ("title", "a\x00b", "NUL"),
        ("author_id", "nobody", "there is no Author"),
        ("pages", "many", "whole number"),
        ("pages", "2147483648", "out of range"),
        ("price", "12.345", "at most 2 digits fit behind"),
        ("price", "12345", "at most 4 digits fit before"),
        ("price", "NaN", "finite"),
        ("printed_at", "yesterday", "not a moment"),
        ("notes", "{open", "not JSON (line 1, column 2"),
        ("notes", "NaN", "no JSON value"),
        ("notes", "[" * 100_000, "nested too deep"),
        ("in_print", "perhaps", "true or false"),
        ("state", "published", "a new row is"),
    ],
)
def test_what_breaks_a_rule_is_said_at_the_field_and_kept(
    visitor: Visitor, name: str, typed: str, said: str
) -> None:
    author = visitor.add("Author", name="Ada")

    page = visitor.post("/Book/create", book(author, **{name: typed}))

    assert page.status_code == 422
    assert said in error_at(page, name)
    assert "Notes" in page.text or name == "title"
    assert visitor.row("Book", "any") is None


def test_a_value_that_must_be_unique_is_refused_at_its_field(visitor: Visitor) -> None:
    visitor.add("Subject", label="maths")

    page = visitor.post("/Subject/create", {"label": "maths"})

    assert page.status_code == 422
    assert "another row has this value" in error_at(page, "label")


def test_a_key_that_nobody_makes_is_asked_for_and_never_changed(visitor: Visitor) -> None:
    visitor.post("/Shelf/create", {"room": "A, b.", "number": "3", "colour": "red"})

    listed = visitor.get("/Shelf/list")
    edited = visitor.edit(
        "Shelf", "A.\\, b..,3".replace("\\", ""), {"colour": "blue", "room": "Z"}
    )

    assert "A, b." in listed.text
    assert edited.url.path == "/Shelf/list"
    assert visitor.row("Shelf", ("A, b.", 3)).colour == "blue"


def test_a_state_moves_only_along_its_transitions(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    key = visitor.add("Book", author_id=author, title="Notes")

    page = visitor.get("/Book/edit", pk=key)
    refused = visitor.edit("Book", key, book(author, state="published"))
    visitor.edit("Book", key, book(author, state="edited"))

    assert 'value="edited"' in page.text
    assert 'value="published"' not in page.text
    assert "cannot become" in error_at(refused, "state")
    assert visitor.row("Book", key).state == "edited"


def test_what_the_form_left_as_it_was_stays_to_the_microsecond(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    moment = visitor.clock.now().replace(microsecond=123_456)
    key = visitor.add("Book", author_id=author, title="Notes", printed_at=moment)

    visitor.edit("Book", key, book(author, printed_at="2026-06-01 12:00:00", pages="7"))

    stored = visitor.row("Book", key)
    assert (stored.pages, stored.printed_at) == (7, moment)


def test_a_many_to_many_is_chosen_and_taken_back(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    maths, music = visitor.add("Subject", label="maths"), visitor.add("Subject", label="music")
    key = visitor.add("Book", author_id=author, title="Notes")

    visitor.edit("Book", key, {**book(author), "subjects": [maths, music]})
    both = visitor.get("/Book/detail", pk=key).text
    visitor.edit("Book", key, {**book(author), "subjects": [music]})
    one = visitor.get("/Book/detail", pk=key).text

    assert "maths" in both
    assert "music" in both
    assert "maths" not in one
    assert "music" in one


def test_a_set_too_large_to_choose_from_is_left_out_of_the_form_and_kept(
    visitor: Visitor,
) -> None:
    author = visitor.add("Author", name="Ada")
    key = visitor.add("Book", author_id=author, title="Notes")
    with visitor.timber.database.session_scope() as session:
        subject = visitor.timber.models.get("Subject")
        row = session.get(visitor.timber.models.get("Book"), key)
        assert row is not None
        row.subjects = [subject(label=f"subject {number}") for number in range(101)]

    form = visitor.get("/Book/edit", pk=key)
    visitor.edit("Book", key, book(author, pages="9"))

    assert 'name="subjects"' not in form.text
    assert "not in this form: subjects" in form.text
    with visitor.timber.database.session_scope() as session:
        row = session.get(visitor.timber.models.get("Book"), key)
        assert row is not None
        assert (row.pages, len(row.subjects)) == (9, 101)


def test_a_new_reference_to_a_deleted_row_is_refused(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada", deleted_at=visitor.clock.now())

    page = visitor.post("/Book/create", book(author))

    assert "is deleted: restore it" in error_at(page, "author_id")


def test_a_row_that_is_gone_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/Book/edit", pk="nothing").status_code == 404
    assert visitor.get("/Subject/detail", pk="no number").status_code == 404
    assert visitor.get("/Shelf/detail", pk="one part").status_code == 404


def test_a_form_that_was_overtaken_says_so_and_can_be_sent_again(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    page = visitor.get("/Author/edit", pk=author).text
    seen = page.partition('name="_seen" value="')[2].partition('"')[0]
    visitor.edit("Author", author, {"name": "Ada L."})

    mine = {"name": "Countess", "_seen": seen}
    refused = visitor.post("/Author/edit", mine, pk=author)
    stored = visitor.row("Author", author).name
    visitor.edit("Author", author, {"name": "Countess"})

    assert refused.status_code == 422
    assert "somebody else has changed this row" in refused.text
    assert 'value="Countess"' in refused.text
    assert stored == "Ada L."
    assert visitor.row("Author", author).name == "Countess"
