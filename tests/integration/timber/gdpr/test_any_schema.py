"""In any schema, exactly the rows of whoever is erased go, and exactly they are exported."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, insert, select
from tests.integration.timber.gdpr.any_schema import PERSONS, Drawn, schemas
from tests.integration.timber.gdpr.conftest import later, settings_of

from timber.common.runtime import Timber
from timber.testing.postgresql import PostgresqlServer

pytestmark = pytest.mark.integration

Rows = dict[str, list[dict[str, Any]]]


def store(timber: Timber, drawn: Drawn) -> None:
    """Store the rows, and then the links that close circles."""
    tables = timber.base.metadata.tables
    user = timber.models.get("User")
    timber.database.bulk_insert(
        user, [{"user_id": one, "email": one, "username": one} for one in PERSONS]
    )
    with timber.database.engine.begin() as connection:
        later(connection)
        for name, rows in drawn.rows.items():
            for row in rows:
                connection.execute(insert(tables[name]), row)
        for name, key, column, value in drawn.links:
            table = tables[name]
            connection.execute(table.update().where(table.c.id == key).values({column: value}))


def read(timber: Timber, drawn: Drawn) -> Rows:
    with timber.database.engine.connect() as connection:
        return {name: rows_of(connection, timber, name) for name in drawn.rows}


def rows_of(connection: Connection, timber: Timber, name: str) -> list[dict[str, Any]]:
    table = timber.base.metadata.tables[name]
    rows = connection.execute(select(table).order_by(*table.primary_key.columns))
    return [dict(row) for row in rows.mappings()]


def gone_with(timber: Timber, drawn: Drawn, before: Rows, who: str) -> set[tuple[Any, ...]]:
    """Return the rows of a person, and those that cannot be without one of these."""
    gone: set[tuple[Any, ...]] = {("users", who)}
    for name in drawn.flagged:
        of_table = before[name]
        gone |= {(name, row["id"]) for row in of_table if row["mark"].startswith(f"{who}'s")}
    while True:
        more = {
            (name, row["id"]) if "id" in row else (name, row["here_id"], row["there_id"])
            for name, rows in before.items()
            if name not in drawn.flagged
            for column in timber.base.metadata.tables[name].c
            if column.foreign_keys and not column.nullable
            for row in rows
            if (next(iter(column.foreign_keys)).column.table.key, row[column.key]) in gone
        } - gone
        if not more:
            return gone
        gone |= more


def expected(timber: Timber, before: Rows, gone: set[tuple[Any, ...]]) -> Rows:
    """Return the rows without those that go, and without links to these."""
    left: Rows = {}
    for name, rows in before.items():
        left[name] = []
        keys = {
            column.key: next(iter(column.foreign_keys)).column.table.key
            for column in timber.base.metadata.tables[name].c
            if column.foreign_keys
        }
        for row in rows:
            links = {column: (keys[column], row[column]) for column in keys}
            dead = {column for column, target in links.items() if target in gone}
            key = (row["id"],) if "id" in row else (row["here_id"], row["there_id"])
            if (name, *key) in gone:
                continue
            left[name].append(row | dict.fromkeys(dead))
    return left


def check(database_url: str, folder: Path, drawn: Drawn) -> None:
    models = folder / "models"
    models.mkdir()
    (models / "models.yaml").write_text(json.dumps(drawn.file), encoding="utf-8")
    with Timber().opened(settings_of(database_url, folder)) as timber:
        store(timber, drawn)
        before = read(timber, drawn)
        gone = gone_with(timber, drawn, before, "ann")
        marks = {
            row["mark"]
            for name, rows in before.items()
            for row in rows
            if "mark" in row and (name, row["id"]) in gone
        }

        with timber.gdpr.export("ann") as rows:
            exported = {row.values["mark"] for row in rows if "mark" in row.values}
        plan = timber.gdpr.plan("ann")
        certificate = timber.gdpr.erase("ann")

        assert exported == marks
        assert read(timber, drawn) == expected(timber, before, gone)
        assert certificate.count("emptied") == 0
        deleted = {one.table: one.rows for one in plan.tables if one.action == "delete"}
        assert {
            name: one["deleted"] for name, one in certificate.tables.items() if "deleted" in one
        } == deleted
        unlinked = sum(one.rows for one in plan.tables if one.action == "unlink")
        assert certificate.count("unlinked") <= unlinked
        assert all(one.emptied == 0 for one in plan.tables)


_ANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.timeout(300)
@given(schemas())
@settings(_ANY, max_examples=10)
def test_exactly_the_rows_of_the_erased_are_gone(drawn: Drawn) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check("sqlite:///:memory:", Path(folder), drawn)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(schemas())
@settings(_ANY, max_examples=400)
def test_exactly_the_rows_of_the_erased_are_gone_in_many_schemas(drawn: Drawn) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check("sqlite:///:memory:", Path(folder), drawn)


@pytest.mark.timeout(300)
def test_exactly_the_rows_of_the_erased_are_gone_on_postgresql(
    postgresql_server: PostgresqlServer,
) -> None:
    on_postgresql(postgresql_server, examples=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_exactly_the_rows_of_the_erased_are_gone_on_postgresql_in_many_schemas(
    postgresql_server: PostgresqlServer,
) -> None:
    on_postgresql(postgresql_server, examples=60)


def on_postgresql(server: PostgresqlServer, *, examples: int) -> None:
    @given(schemas())
    @settings(_ANY, max_examples=examples)
    def law(drawn: Drawn) -> None:
        with tempfile.TemporaryDirectory() as folder, server.database() as url:
            check(url, Path(folder), drawn)

    law()
