"""A trigger of the right name that does something else is told, and so is one too many."""

from typing import Any

import pytest
from sqlalchemy import Connection, text
from tests.fake_keystore import FakeKeystore
from tests.integration.timber.audit.conftest import settings_of

from timber.common.audit.tables import LOG, PENDING, guards
from timber.common.audit.triggers import present
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


def told(timber: Timber) -> list[str]:
    return [one.what for one in timber.audit.verify().problems]


def empty(connection: Connection, name: str, table: str) -> None:
    """Have a trigger do nothing, under the same name."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS '
            "$$ BEGIN RETURN NULL; END $$"
        )
        return
    connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    connection.exec_driver_sql(
        f'CREATE TRIGGER "{name}" AFTER UPDATE ON {table} WHEN 0 BEGIN SELECT 1; END'
    )


@pytest.mark.parametrize("event", ["insert", "update", "delete"])
def test_a_trigger_that_notes_nothing_any_more_is_told(timber: Timber, event: str) -> None:
    assert told(timber) == []
    with timber.database.engine.begin() as connection:
        [name] = [one for one in present(connection) if f"_users_{event}_" in one]
        empty(connection, name, "users")

    assert [one.split()[0] for one in told(timber)] == ["users"]


def test_a_guard_that_lets_pass_is_told(timber: Timber) -> None:
    with timber.database.engine.begin() as connection:
        guarding = guards(connection.dialect)
        for name, one in guarding.items():
            empty(connection, name, one.table)

    assert [one.split()[2].strip(",") for one in told(timber)] == list(guarding)


@pytest.mark.parametrize(
    "forgery",
    [
        "ALTER TABLE users DISABLE TRIGGER USER",
        "ALTER TABLE users ENABLE TRIGGER USER",
        "ALTER TABLE users ENABLE REPLICA TRIGGER {name}",
        "ALTER FUNCTION {name}() SET search_path = elsewhere",
        "ALTER FUNCTION {name}() SECURITY DEFINER",
        (
            "DROP TRIGGER {name} ON users; CREATE TRIGGER {name} AFTER UPDATE ON users "
            "FOR EACH ROW WHEN (false) EXECUTE FUNCTION {name}(); "
            "ALTER TABLE users ENABLE ALWAYS TRIGGER {name}"
        ),
    ],
)
def test_a_trigger_that_seldom_fires_is_told(postgresql_timber: Timber, forgery: str) -> None:
    with postgresql_timber.database.engine.begin() as connection:
        [name] = [one for one in present(connection) if "_users_update_" in one]
        for statement in forgery.split("; "):
            connection.exec_driver_sql(statement.replace("{name}", name))

    assert [one.split()[0] for one in told(postgresql_timber)] == ["users"]


def test_a_session_that_fires_no_triggers_fires_those_of_audits(
    postgresql_timber: Timber,
) -> None:
    engine = postgresql_timber.database.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text("INSERT INTO users (user_id) VALUES ('ann')"))

    assert [one.key for one in postgresql_timber.audit.log()] == [("ann",)]


@pytest.mark.parametrize("table", [LOG.name, PENDING.name])
def test_a_foreign_trigger_on_the_log_is_told(timber: Timber, table: str) -> None:
    with timber.database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                f"CREATE TRIGGER swallow BEFORE INSERT ON {table} BEGIN SELECT 1; END"
            )
        else:
            connection.exec_driver_sql(
                f"CREATE RULE swallow AS ON DELETE TO {table} DO INSTEAD NOTHING"
            )

    [problem] = told(timber)

    assert problem.startswith(f"swallow stands on {table}")


def test_who_may_make_triggers_makes_a_changed_one_anew_and_says_so(
    timber: Timber, keystore: FakeKeystore, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url = timber.database.engine.url.render_as_string(hide_password=False)
    if "memdb" in url:
        return  # nobody else can open it
    with timber.database.engine.begin() as connection:
        [name] = [one for one in present(connection) if "_users_insert_" in one]
        empty(connection, name, "users")

    with Timber(keystore=keystore).opened(settings_of(url, tmp_path / "models")) as other:
        assert told(other) == []

    assert any(name in one.getMessage() for one in caplog.records)
