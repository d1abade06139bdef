"""`timber keys` makes keys, tells how they are, and renews them."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.unit.timber.commands.test_check import timber as run

from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

MODELS = """
models:
  - name: Patient
    table_name: patients
    columns:
      - {name: id, type: String(36), primary_key: true, default: uuid4}
      - {name: email, type: String(80), unique: true}
      - {name: diagnosis, type: Text}
    encryption:
      enabled: true
      fields: [diagnosis, {name: email, searchable: true}]
"""


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "models.yaml").write_text(MODELS, encoding="utf-8")
    monkeypatch.setenv("TIMBER_PACKAGED_MODELS", "false")
    monkeypatch.setenv("TIMBER_KEY_BOUND_SECONDS", "0.01")
    return [str(tmp_path), "--database", f"sqlite:///{tmp_path}/app.db"]


@pytest.fixture
def filled(tmp_path: Path, arguments: list[str]) -> TimberSettings:
    settings = TimberSettings(database_url=arguments[2], model_config_dirs=(tmp_path,))
    with Timber().opened(settings) as timber, timber.database.session_scope() as session:
        rows = [{"id": str(n), "email": f"{n}@x.org", "diagnosis": "flu"} for n in range(5)]
        session.execute(insert(timber.models.get("Patient")), rows)
    return settings


def told(*arguments: str) -> dict[str, Any]:
    done = run("keys", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_in_production_keys_are_made_by_the_command_and_by_nothing_else(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBER_ENVIRONMENT", "production")

    refused = run("keys", "status", *arguments)
    made = run("keys", "init", *arguments)
    again = told("init", *arguments)

    assert refused.exit_code == 2
    assert "timber keys init" in refused.stderr
    assert made.exit_code == 0
    assert f"made: the keystore at {tmp_path}/app.db.keys" in made.stdout
    assert again["is_new"] is False
    settings = TimberSettings(database_url=arguments[2], model_config_dirs=(tmp_path,))
    with Timber().opened(settings) as timber:
        assert timber.key_renewal.status().keystore_id == again["keystore_id"]


@pytest.mark.usefixtures("filled")
def test_keys_are_renewed_step_by_step(arguments: list[str]) -> None:
    before = told("status", *arguments)

    master = told("rotate", *arguments)
    data = run("keys", "rotate", *arguments, "--data", "--model", "Patient")
    indexes = told("rotate", *arguments, "--indexes")
    between = run("keys", "status", *arguments)
    retired = run("keys", "retire", *arguments)
    after = told("status", *arguments)

    assert (before["master_version"], before["index_versions"]) == (1, [1])
    assert master["version"] == 2
    assert "renewed 1 keys, and sealed 5 rows anew" in data.stdout
    assert (indexes["version"], indexes["rows"]) == (2, 5)
    assert "1 of them old" in between.stdout
    assert "! 1 old versions of data keys are kept" in between.stdout
    assert "destroyed 1 old versions" in retired.stdout
    assert (after["master_version"], after["index_versions"]) == (2, [2])
    assert (after["old_data_keys"], after["attention"]) == (0, [])
    assert "nothing is overdue" in run("keys", "status", *arguments).stdout


def test_what_is_still_used_is_not_retired(
    tmp_path: Path, filled: TimberSettings, arguments: list[str]
) -> None:
    with Timber().opened(filled) as timber:
        timber.keys.store.renew_data_key("patients:")

    done = run("keys", "retire", *arguments)

    assert done.exit_code == 1
    assert "kept 1: values are sealed with them (10 in patients)" in done.stderr


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "Patient"], "--model belongs to --data"),
        (["--data", "--indexes"], "one after the other"),
        (["--data", "--model", "Patent"], "no model 'Patent'"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: list[str], options: list[str], said: str) -> None:
    done = run("keys", "rotate", *arguments, *options)

    assert done.exit_code == 2
    assert said in done.stderr


def test_rows_that_cannot_be_opened_are_named(
    filled: TimberSettings, arguments: list[str]
) -> None:
    with Timber().opened(filled) as timber, timber.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE patients SET diagnosis = (SELECT diagnosis FROM patients WHERE id = '1') "
            "WHERE id = '2'"
        )

    done = run("keys", "rotate", *arguments, "--data")

    assert done.exit_code == 1
    assert "patients.diagnosis" in done.stdout
    assert "flu" not in done.stdout
