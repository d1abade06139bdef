"""The database that tests run on: one for each process of the tests, and nobody else's."""

from typing import Final

from sqlalchemy import Connection, Engine, MetaData, func, inspect, make_url, select, table, text
from sqlalchemy.exc import ArgumentError

from timber.common.audit.tables import AUDIT_METADATA
from timber.common.database.engine import opened_engine
from timber.common.errors import ConfigurationError
from timber.common.gdpr.tables import OWN as ERASURES
from timber.common.retention.tables import RETENTION_METADATA

_IN_MEMORY: Final = frozenset({None, "", ":memory:"})


def url_for_worker(database_url: str, worker: str | None) -> str:
    """Return the URL of the worker's own database, made if it is not there.

    `worker` is its name under pytest-xdist; None when one process runs all tests.
    A database in memory is the worker's own anyway; `tests.db` becomes `tests.db-gw0`,
    the PostgreSQL database `tests` becomes `tests_gw0`.
    """
    try:
        url = make_url(database_url)
    except ArgumentError:
        return database_url  # who opens it says what is wrong with it
    if worker is None or url.database in _IN_MEMORY:
        return database_url
    if url.get_backend_name() != "postgresql":
        own = url.set(database=f"{url.database}-{worker}")
        return own.render_as_string(hide_password=False)
    own = url.set(database=f"{url.database}_{worker}")
    _create_if_missing(database_url, str(own.database))
    return own.render_as_string(hide_password=False)


def is_in_memory(database_url: str) -> bool:
    """Tell whether the database ends with the process; a URL that is none names one that stays."""
    try:
        return make_url(database_url).database in _IN_MEMORY
    except ArgumentError:
        return False


def _tables(connection: Connection) -> list[str]:
    """Return the names of the tables, without those in which SQLite keeps its virtual ones."""
    names = inspect(connection).get_table_names()
    if connection.dialect.name != "sqlite":
        return names
    virtual = tuple(
        f"{name}_"
        for name in connection.scalars(
            text("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
        )
    )
    return [name for name in names if not name.startswith(virtual)]


def refuse_foreign_rows(database_url: str) -> None:
    """Refuse a database that holds rows already: tests drop their tables in the end.

    Raises:
        ConfigurationError: there are rows that no test has put there.

    """
    with opened_engine(database_url) as engine, engine.connect() as connection:
        for name in _tables(connection):
            if connection.execute(select(1).select_from(table(name)).limit(1)).first():
                raise ConfigurationError(
                    f"the test database holds rows already, in the table {name!r}: name an empty "
                    "one in TEST_DATABASE_URL, for the tests drop what is in it"
                )


def empty_tables(connection: Connection, metadata: MetaData) -> None:
    """Delete every row of every table of the metadata, and let keys begin anew.

    The caller commits.
    """
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.format_table
        names = ", ".join(quote(one) for one in metadata.tables.values())
        if names:
            # And what lies beside them, such as vectors, which points to them.
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        return
    connection.execute(text("SAVEPOINT emptying"))  # the next line has no effect outside
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    # Twice, for triggers tell of what goes in tables that were emptied before.
    for one in (*metadata.tables.values(), *metadata.tables.values()):
        connection.execute(one.delete())
    # Nothing is left that could point anywhere, so later statements are checked at once again.
    connection.execute(text("PRAGMA defer_foreign_keys = OFF"))
    connection.execute(text("RELEASE emptying"))


def drop_own_tables(engine: Engine) -> None:
    """Drop what Timber keeps apart from the models: audit log, holds of tables, erasures."""
    for metadata in (AUDIT_METADATA, RETENTION_METADATA, ERASURES):
        metadata.drop_all(engine)


def _create_if_missing(database_url: str, name: str) -> None:
    with opened_engine(database_url) as engine, engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        databases = table("pg_database")
        found = connection.execute(
            select(func.count()).select_from(databases).where(text("datname = :name")),
            {"name": name},
        )
        if not found.scalar():
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.execute(text(f"CREATE DATABASE {quoted}"))
