"""What a model file says is what the database has, on every database."""

import json
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import inspect
from tests.unit.timber.modeling.model_strategies import model_files

from timber.common.documents import parse_yaml, validate
from timber.common.errors import ConstraintError, InvalidValueError, ModelFileError
from timber.common.modeling.spec import ModelFile
from timber.common.modeling.writer import model_file_text
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

LIBRARY = """
mixins:
  - name: Priced
    columns:
      - {name: price, type: "Numeric(10, 2)", check: price >= 0, default: 1.5}
association_tables:
  - name: book_tags
    columns:
      - {name: book_id, type: Uuid, foreign_key: books.id, primary_key: true, on_delete: cascade}
      - {name: tag_id, type: Integer, foreign_key: tags.id, primary_key: true}
models:
  - name: Book
    table_name: books
    mixins: [OwnerMixin, Priced, TimestampMixin]
    columns:
      - {name: id, type: Uuid, primary_key: true, default: uuid7}
      - name: title
        type: String(50)
        server_default: un'titled 100%
        check: title not like '%x%' and length(title) > 0
      - {name: kind, type: "Enum(novel, 'non fiction')", default: novel}
      - {name: pages_printed, type: SmallInteger, server_default: 3}
      - {name: read, type: Boolean, server_default: false, nullable: false}
      - {name: seen_at, type: DateTime, server_default: now}
      - {name: bought_on, type: Date, default: "2020-01-01"}
      - {name: alarm, type: Time, default: "10:00:00"}
      - {name: span, type: Interval, default: 90}
      - {name: weight, type: Double, default: 0.1}
      - {name: language, type: CHAR(2), server_default: en}
      - {name: meaning, type: Vector(3)}
      - {name: extra, type: JSON, server_default: {a: [1]}}
      - {name: bookmark, type: Integer}
      - {name: sequel_of, type: Uuid, foreign_key: books.id, unique: true}
    foreign_keys:
      - {columns: [id, bookmark], references: [pages.book_id, pages.number]}
    checks:
      - {name: sane, condition: "pages_printed > 0 and (read or price < 100)"}
    unique:
      - {columns: [title, kind]}
    indexes:
      - {name: ix_unread, columns: [language], where: not read, unique: true}
    relationships:
      - name: pages
        model: Page
        type: one_to_many
        order_by: number desc
        cascade: all, delete-orphan
        back_populates: book
      - name: marked_page
        model: Page
        type: many_to_one
        foreign_key: [id, bookmark]
        post_update: true
      - {name: original, model: Book, type: one_to_one, back_populates: sequel}
      - {name: sequel, model: Book, type: one_to_one, back_populates: original}
      - {name: tags, model: Tag, type: many_to_many, secondary: book_tags, order_by: [label]}
  - name: Page
    table_name: pages
    columns:
      - {name: book_id, type: Uuid, primary_key: true, foreign_key: books.id, on_delete: cascade}
      - {name: number, type: Integer, primary_key: true}
    relationships:
      - {name: book, model: Book, type: many_to_one, back_populates: pages}
  - name: Tag
    table_name: tags
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: label, type: Text}
"""


def opened(url: str, text: str) -> Any:
    """Give a Timber over a file of this text, which is gone again when it is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models.yaml").write_text(text, encoding="utf-8")
        timber = Timber()
        timber.open(
            TimberSettings(
                database_url=url, model_config_dirs=(Path(folder),), packaged_models=False
            )
        )
        return timber


@pytest.fixture
def library(database_url: str) -> Any:
    timber = opened(database_url, LIBRARY)
    yield timber
    timber.close()


def add_book(timber: Timber, **given: Any) -> Any:
    book_model, user_model = timber.models.get("Book"), timber.models.get("User")
    with timber.database.session_scope() as session:
        if session.get(user_model, "ada") is None:
            session.add(user_model(user_id="ada", email="a@example.org", username="ada"))
            session.flush()
        book = book_model(owner_id="ada", **given)
        session.add(book)
        session.flush()
        return book.id


def test_every_kind_of_value_and_default_comes_back(library: Timber) -> None:
    key = add_book(library, meaning=[1, 2, 0.1])

    with library.database.session_scope() as session:
        book = session.get_one(library.models.get("Book"), key)
        kept = {name: getattr(book, name) for name in ("title", "kind", "pages_printed", "read")}
        found = [str(book.price), book.span.seconds, book.language, book.extra, book.weight]

    assert kept == {"title": "un'titled 100%", "kind": "novel", "pages_printed": 3, "read": False}
    assert found == ["1.50", 90, "en", {"a": [1]}, 0.1]
    assert book.meaning == pytest.approx([1, 2, 0.1])
    assert book.seen_at.tzinfo is not None
    assert (book.bought_on.isoformat(), book.alarm.isoformat()) == ("2020-01-01", "10:00:00")
    assert key.version == 7


@pytest.mark.parametrize(
    "given",
    [{"kind": "poem"}, {"price": -1}, {"pages_printed": 0}, {"title": "ax"}, {"title": ""}],
    ids=str,
)
def test_what_breaks_a_rule_is_refused(library: Timber, given: dict[str, Any]) -> None:
    with pytest.raises(ConstraintError):
        add_book(library, **given)


def test_a_vector_of_another_length_is_refused(library: Timber) -> None:
    with pytest.raises(InvalidValueError):
        add_book(library, meaning=[1.0, 2.0])


def test_a_partial_index_binds_only_the_rows_it_names(library: Timber) -> None:
    add_book(library, title="a")
    add_book(library, title="b", read=True)

    with pytest.raises(ConstraintError):
        add_book(library, title="c")


def test_links_of_every_kind_lead_both_ways(library: Timber) -> None:
    book_model, page, tag = (library.models.get(name) for name in ("Book", "Page", "Tag"))
    first = add_book(library, title="first", tags=[tag(id=1, label="z"), tag(id=2, label="a")])
    add_book(library, title="second", read=True, sequel_of=first)

    with library.database.session_scope() as session:
        book = session.get_one(book_model, first)
        book.pages = [page(number=1), page(number=2)]
        session.flush()
        book.bookmark = 2

    with library.database.session_scope() as session:
        book = session.get_one(book_model, first)
        seen = [one.number for one in book.pages], book.marked_page.number
        tags = [one.label for one in book.tags]
        sequel = book.sequel.title, book.sequel.original.title, book.original

    assert seen == ([2, 1], 2)
    assert tags == ["a", "z"]
    assert sequel == ("second", "first", None)


def test_deleting_a_row_takes_what_belongs_to_it(library: Timber) -> None:
    book_model, page = library.models.get("Book"), library.models.get("Page")
    key = add_book(library, pages=[page(number=1)])

    with library.database.session_scope() as session:
        session.delete(session.get_one(book_model, key))

    with library.database.session_scope() as session:
        assert session.query(page).count() == 0


def test_tables_that_form_a_circle_are_sorted_and_dropped(library: Timber) -> None:
    metadata = library.base.metadata
    names = [table.name for table in metadata.sorted_tables]

    metadata.drop_all(library.database.engine)

    assert names.index("pages") < names.index("books") or names.index("books") < names.index(
        "pages"
    )
    assert inspect(library.database.engine).get_table_names() == []


ARRAYS = """
models:
  - name: Box
    table_name: boxes
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: labels, type: Array(String(20)), default: [a]}
      - {name: code, type: Uuid, server_default: uuid4}
      - {name: exact, type: "Numeric(30, 5)"}
"""


def test_what_a_database_lacks_is_refused_with_its_place(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        timber = opened(database_url, ARRAYS)
        with timber.database.session_scope() as session:
            session.add(timber.models.get("Box")(id=1))
            session.flush()
            kept = session.query(timber.models.get("Box")).one()
            assert kept.labels == ["a"]
            assert kept.code is not None
        timber.close()
        return

    with pytest.raises(ModelFileError) as caught:
        opened(database_url, ARRAYS)

    said = [problem.split(":", 1)[1].split(" (")[0] for problem in caught.value.problems]
    assert said == [
        "7:30: SQLite has no arrays: use JSON, or a table of its own",
        "8:50: SQLite makes no uuid4: write it as `default`",
        "9:29: SQLite keeps 15 digits of a Numeric: ask for fewer",
    ]


def test_a_server_without_pgvector_is_told_with_the_place(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute("CREATE ROLE poor LOGIN")
        connection.execute("GRANT ALL ON SCHEMA public TO poor")
    try:
        poor = f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}options=-crole%3Dpoor"
        text = "models: [{name: A, table_name: a, columns: [{name: id, type: Integer, "
        text += "primary_key: true}, {name: v, type: Vector(3)}]}]"

        with pytest.raises(ModelFileError, match=r":1:107: Vector needs the extension pgvector"):
            opened(poor, text)
    finally:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY poor")
            connection.execute("DROP ROLE poor")
    assert name


@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore:Did not recognize type 'vector'")
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(file=model_files())
def test_what_is_created_is_what_was_written(database_url: str, file: dict[str, Any]) -> None:
    timber = opened(database_url, json.dumps(file))
    try:
        assert shape_of(timber) == shape_in(timber)
    finally:
        timber.base.metadata.drop_all(timber.database.engine)
        timber.close()


BESIDE_TEXTS = "vector_"
"""Tables that hold more than models say: vectors, and indexes of words."""


def shape_of(timber: Timber) -> dict[str, Any]:
    """Return what the mapped tables say."""
    return {
        name: (
            {column.name: column.nullable for column in table.columns},
            {column.name for column in table.primary_key},
            {
                (tuple(key.column_keys), key.referred_table.name, key.ondelete)
                for key in table.foreign_key_constraints
            },
            {str(index.name): bool(index.unique) for index in table.indexes},
        )
        for name, table in timber.base.metadata.tables.items()
        if not name.startswith(BESIDE_TEXTS)
    }


def shape_in(timber: Timber) -> dict[str, Any]:
    """Return what the database says."""
    found = inspect(timber.database.engine)
    return {
        name: (
            {column["name"]: column["nullable"] for column in found.get_columns(name)},
            set(found.get_pk_constraint(name)["constrained_columns"]),
            {
                (
                    tuple(key["constrained_columns"]),
                    key["referred_table"],
                    key["options"].get("ondelete"),
                )
                for key in found.get_foreign_keys(name)
            },
            {
                str(index["name"]): bool(index["unique"])
                for index in found.get_indexes(name)
                if not index.get("duplicates_constraint")
            },
        )
        for name in found.get_table_names()
        if not name.startswith(BESIDE_TEXTS)
    }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=model_files())
def test_a_file_that_is_written_again_says_the_same(file: dict[str, Any]) -> None:
    first = validate(ModelFile, parse_yaml(json.dumps(file).encode(), source="first"))

    again = validate(ModelFile, parse_yaml(model_file_text(first).encode(), source="again"))

    assert again == first
