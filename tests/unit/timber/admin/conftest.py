"""A small library behind an admin site, and a browser's way through it without a browser."""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from textwrap import dedent
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from tests.lent_timbers import empty
from tests.unit.timber.conftest import OpenTimber

from timber.admin.site import create_site
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

PASSWORD = "correct horse battery"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

LIBRARY = """
    association_tables:
      - name: book_subjects
        columns:
          - {name: book_id, type: String(36), foreign_key: books.id, primary_key: true}
          - {name: subject_id, type: Integer, foreign_key: subjects.id, primary_key: true}
    models:
      - name: Author
        table_name: authors
        description: Who writes.
        mixins: [TimestampMixin, SoftDeleteMixin]
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: name, type: String(20), nullable: false}
          - {name: diary, type: Text, sensitive: true}
      - name: Book
        table_name: books
        mixins: [TimestampMixin]
        columns:
          - {name: id, type: String(36), primary_key: true, default: uuid4}
          - {name: author_id, type: String(36), foreign_key: authors.id, nullable: false}
          - {name: title, type: String(40), nullable: false, unique: true}
          - {name: state, type: String(20), nullable: false, default: draft}
          - {name: pages, type: Integer}
          - {name: price, type: "Numeric(6, 2)"}
          - {name: printed_at, type: DateTime}
          - {name: in_print, type: Boolean, nullable: false, default: true}
          - {name: notes, type: JSON}
        relationships:
          - {name: subjects, model: Subject, type: many_to_many, secondary: book_subjects}
        states:
          initial: draft
          transitions: {draft: [edited], edited: [published]}
          final: [published]
      - name: Subject
        table_name: subjects
        columns:
          - {name: id, type: Integer, primary_key: true}
          - {name: label, type: String(20), unique: true, nullable: false}
      - name: Shelf
        table_name: shelves
        columns:
          - {name: room, type: String(10), primary_key: true}
          - {name: number, type: Integer, primary_key: true}
          - {name: colour, type: String(10)}
"""


@dataclass
class HandClock:
    """A clock that moves when it is told to."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class Visitor:
    """Somebody with a browser that runs no scripts."""

    client: TestClient
    clock: HandClock
    timber: Timber
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **parameters: str) -> Response:
        return self.client.get(path, params=parameters, headers=self.headers)

    def post(self, path: str, data: dict[str, Any] | None = None, **parameters: str) -> Response:
        token = self.client.cookies.get("starlette_admin_csrftoken")
        form = {"csrftoken": token, **(data or {})}
        return self.client.post(path, data=form, params=parameters, headers=self.headers)

    def log_in(self, password: str = PASSWORD) -> Response:
        self.get("/login")
        return self.post("/login", {"password": password})

    def act(self, model: str, action: str, *, pk: str) -> Response:
        return self.post(f"/_api/{model}/row-action", name=action, pk=pk)

    def edit(self, model: str, pk: str, data: dict[str, Any]) -> Response:
        """Open the form of a row and send it back with `data`."""
        form = self.get(f"/{model}/edit", pk=pk).text
        seen = form.partition('name="_seen" value="')[2].partition('"')[0]
        return self.post(f"/{model}/edit", {**data, "_seen": seen}, pk=pk)

    def add(self, model: str, **values: object) -> str:
        """Store a row and return its key."""
        with self.timber.database.session_scope() as session:
            row = self.timber.models.get(model)(**values)
            session.add(row)
            session.flush()
            return str(row.id)

    def row(self, model: str, key: object) -> Any:
        """Return a row, deleted or not."""
        with self.timber.database.session_scope() as session:
            found = self.timber.models.get(model)
            return session.get(found, key, execution_options={"include_deleted": True})


OpenSite = Callable[..., Visitor]


@pytest.fixture
def open_site(open_timber: OpenTimber) -> Iterator[OpenSite]:
    """Open a site over models, to somebody who is not logged in."""
    opened: list[TestClient] = []

    def site(models: str = LIBRARY, *, read_only: bool = False) -> Visitor:
        timber, clock = open_timber(models), HandClock()
        app = create_site(timber, password=PASSWORD, clock=clock, read_only=read_only)
        client = TestClient(app, base_url="http://127.0.0.1")
        opened.append(client)
        return Visitor(client, clock, timber)

    yield site
    for client in opened:
        client.close()


@pytest.fixture(scope="package")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Timber, HandClock, Any]]:
    """Open the library with its site once: it costs more than most tests of it."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "models.yaml").write_text(dedent(LIBRARY), encoding="utf-8")
    settings = TimberSettings(model_config_dirs=(folder,), packaged_models=False)
    with Timber().opened(settings) as timber:
        clock = HandClock()
        yield timber, clock, create_site(timber, password=PASSWORD, clock=clock)


@pytest.fixture
def visitor(library: tuple[Timber, HandClock, Any]) -> Iterator[Visitor]:
    """Give somebody who is logged in to the library, which is empty."""
    timber, clock, site = library
    empty(timber)
    clock.moment = NOON
    with contextlib.closing(TestClient(site, base_url="http://127.0.0.1")) as client:
        visitor = Visitor(client, clock, timber)
        visitor.log_in()
        yield visitor


def error_at(page: Response, name: str) -> str:
    """Return what a form says at a field."""
    found = re.search(rf'id="{name}-error">(.*?)</div>', page.text, re.DOTALL)
    return found[1] if found else ""
