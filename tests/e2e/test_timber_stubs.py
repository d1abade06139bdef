"""What `timber stubs` writes is found by mypy and by pyright, and both catch the mistakes."""

import sys
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest
from tests.e2e.conftest import Installed
from tests.e2e.type_checkers import Check, Line, mypy, pyright

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("installed")]

checkers: Final = pytest.mark.parametrize("check", [mypy, pyright])

MODELS: Final = """
    association_tables:
      - name: links
        columns:
          - {name: book_id, type: Integer, foreign_key: books.id, primary_key: true}
          - {name: tag_id, type: String(36), foreign_key: tags.id, primary_key: true}
    models:
      - name: Book
        table_name: books
        mixins: [TimestampMixin]
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: title, type: Text, nullable: false, description: What is "on" the cover.}
          - {name: price, type: "Numeric(10, 2)"}
          - {name: pages, type: Integer, nullable: false, default: 0}
          - {name: owner_id, type: String(36), foreign_key: users.user_id, nullable: false}
          - {name: editor_id, type: String(36), foreign_key: users.user_id}
          - {name: extra, type: JSON}
        relationships:
          - {name: owner, model: User, type: many_to_one, foreign_key: owner_id}
          - {name: editor, model: User, type: many_to_one, foreign_key: editor_id}
          - {name: tags, model: Tag, type: many_to_many, secondary: links, back_populates: books}
          - {name: cover, model: Cover, type: one_to_one, back_populates: book}
      - name: Tag
        table_name: tags
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: label, type: Text, nullable: false}
        relationships:
          - {name: books, model: Book, type: many_to_many, secondary: links, back_populates: tags}
      - name: Cover
        table_name: covers
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: image, type: LargeBinary, nullable: false}
          - {name: printed, type: Date}
          - {name: book_id, type: Integer, foreign_key: books.id, unique: true, nullable: false}
        relationships:
          - {name: book, model: Book, type: one_to_one, back_populates: cover}
"""
APP: Final = """
    from __future__ import annotations

    from datetime import date, datetime
    from decimal import Decimal
    from typing import TYPE_CHECKING

    from sqlalchemy import select
    from sqlalchemy.orm import Session

    import timber_models
    from timber.common.models import get_model

    if TYPE_CHECKING:
        from timber_models import Book as BookRow, ModelName

    Book, Cover, Tag = get_model("Book"), get_model("Cover"), get_model("Tag")
    User = get_model("User")
    Bok = get_model("Bok")  # wrong

    owner = User(user_id="a", email="a@x", username="a", created_at=datetime.now())
    User(user_id="a", username="a")  # wrong
    User(user_id="a", email=None, username="a")  # wrong
    User(user_id="a", email="a@x", username="a", emial="b@x")  # wrong

    book = Book(title="Sea", owner=owner, price=Decimal("9.50"), tags=[Tag(label="ships")])
    Book(title="Sea", owner_id="a", price=None, editor=None, extra={"any": ["thing"]})
    Book(title=1, owner_id="a")  # wrong
    Book(title="Sea", owner_id="a", owner=None)  # wrong
    Book(title="Sea", owner_id="a", pages=None)  # wrong
    Book(title="Sea", owner_id="a", tags=["ships"])  # wrong
    Cover(image=b"...", book=book, printed=date(2026, 1, 1))
    Cover(image="...", book=book)  # wrong

    title: str = book.title
    price: Decimal = book.price  # wrong
    pages: int = book.pages
    moved: datetime = book.updated_at
    owners_email: str = book.owner.email
    editors_email: str = book.editor.email  # wrong
    labels: list[str] = [tag.label for tag in book.tags]
    back: list[BookRow] = book.tags[0].books
    cover: Cover | None = book.cover  # wrong
    image: bytes | None = book.cover.image if book.cover else None
    book.titel  # wrong
    book.title = "Lake"
    book.title = None  # wrong


    def find(session: Session, name: ModelName) -> list[BookRow]:
        get_model(name)
        session.add(timber_models.Tag(label="lakes"))
        session.add(timber_models.Tag(label=2))  # wrong
        session.scalars(select(Book).where(Book.titel == "Sea"))  # wrong
        query = select(Book).where(Book.title == "Sea").order_by(Book.created_at.desc())
        return list(session.scalars(query))
"""
"""Uses of the models; a line that ends with `# wrong` holds a mistake, and no other line does."""


def app_in(folder: Path, app: str, models: str, installed: Installed) -> Path:
    """Write an application with its models, and their stub beside it."""
    folder.joinpath("models").mkdir()
    folder.joinpath("models", "books.yaml").write_text(dedent(models))
    file = folder / "app.py"
    file.write_text(dedent(app).lstrip())
    done = installed.timber("stubs", "models", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert folder.joinpath("timber_models.pyi").exists()
    return file


def wrong_lines(file: Path) -> set[Line]:
    lines = file.read_text().splitlines()
    return {
        (file.name, number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")
    }


@checkers
def test_a_checker_finds_the_stub_and_every_mistake_and_nothing_else(
    check: Check, installed: Installed, tmp_path: Path
) -> None:
    file = app_in(tmp_path, APP, MODELS, installed)

    assert check(installed, file) == wrong_lines(file)


@checkers
def test_without_a_stub_every_name_is_a_model_of_unknown_shape(
    check: Check, installed: Installed, tmp_path: Path
) -> None:
    file = tmp_path / "app.py"
    file.write_text(
        "from timber.common.models import get_model\n"
        'user = get_model("User")(anything=1)\n'
        "get_model(1)\n"
    )

    assert check(installed, file) == {("app.py", 3)}


CLASHES: Final = """
    models:
      - name: Tag
        table_name: tags
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: str, type: Text}
          - {name: date, type: Date, nullable: false}
          - {name: datetime, type: DateTime}
          - {name: self, type: Text}
          - {name: Mapped, type: JSON}
          - {name: Tag, type: Text}
          - {name: list, type: Integer, foreign_key: tags.id}
        relationships:
          - {name: parent, model: Tag, type: many_to_one, back_populates: children}
          - {name: children, model: Tag, type: one_to_many, back_populates: parent}
      - name: type
        table_name: types
        columns: [{name: id, type: Integer, primary_key: true}]
      - name: get_model
        table_name: get_models
        columns: [{name: id, type: Integer, primary_key: true}]
"""
CLASHING_APP: Final = """
    from datetime import date

    from timber.common.models import get_model

    tag = get_model("Tag")(date=date(2026, 1, 1), self="me", Tag="x", list=1)
    tag.children[0].parent.str  # wrong
    text: str | None = tag.Tag
    get_model("type")(id=1)
    get_model("get_model")(id="1")  # wrong
"""


@checkers
def test_columns_and_models_may_have_the_names_of_types_and_the_stub_has_no_mistake(
    check: Check, installed: Installed, tmp_path: Path
) -> None:
    file = app_in(tmp_path, CLASHING_APP, CLASHES, installed)
    stub = file.with_name("timber_models.pyi")

    assert check(installed, file, stub) == wrong_lines(file)


def test_the_example_runs_but_for_its_mistakes(installed: Installed, tmp_path: Path) -> None:
    file = app_in(tmp_path, APP, MODELS, installed)
    lines = file.read_text().splitlines()
    good = "\n".join(line for line in lines if not line.endswith("# wrong"))
    opening = 'from timber.common import initialize_timber\ninitialize_timber(["models"])\n'
    file.write_text(good.replace("from sqlalchemy import", f"{opening}from sqlalchemy import", 1))

    done = installed.run(sys.executable, file.name, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
