"""What people see and scripts read of `timber audit` and `timber retention`; and migrations."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from timber.commands.app import cli
from timber.common.audit import acting
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

pytestmark = pytest.mark.integration

MODELS = """
models:
  - name: Note
    table_name: notes
    columns:
      - {name: id, type: Integer, primary_key: true}
      - {name: body, type: Text}
      - {name: written_at, type: DateTime, default: now}
    audit: {enabled: true, fields: [body]}
    retention: {enabled: true, after: 1 hour, since: written_at}
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models.yaml").write_text(MODELS, encoding="utf-8")
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/notes.db"


def opened(models: Path, url: str, **given: Any) -> Any:
    settings = TimberSettings(
        database_url=url, model_config_dirs=(models,), packaged_models=False, **given
    )
    return Timber().opened(settings)


@pytest.fixture
def written(models: Path, url: str) -> None:
    with opened(models, url) as timber, acting("staff-7", reason="T-1"):
        timber.database.bulk_insert(
            timber.models.get("Note"), [{"id": one, "body": "secret"} for one in (1, 2)]
        )


def timber(models: Path, url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, str(models), "--database", url])


@pytest.mark.usefixtures("written")
def test_the_log_is_shown_and_filtered(models: Path, url: str) -> None:
    shown = timber(models, url, "audit", "log", "--key", "2")
    facts = json.loads(timber(models, url, "audit", "log", "--json", "--limit", "1").stdout)

    assert "staff-7  insert  notes 2  body  [T-1]" in shown.stdout
    assert "secret" not in shown.stdout
    assert [one["key"] for one in facts["entries"]] == [[2]]
    assert "nothing was recorded" in timber(models, url, "audit", "log", "--actor", "x").stdout


@pytest.mark.usefixtures("written")
def test_what_is_cut_off_is_found_with_an_anchor(models: Path, url: str, tmp_path: Path) -> None:
    anchor = tmp_path / "elsewhere" / "anchor.json"

    assert "intact: 2 entries" in timber(models, url, "audit", "verify").stdout
    assert timber(models, url, "audit", "anchor", "-o", str(anchor)).exit_code == 0
    with sqlite3.connect(tmp_path / "notes.db") as database:
        database.execute("DROP TRIGGER timberaudit_guard_delete")
        database.execute("DELETE FROM timber_audit_log WHERE position = 2")
    database.close()
    told = timber(models, url, "audit", "verify", "--anchor", str(anchor))
    facts = timber(models, url, "audit", "verify", "--anchor", str(anchor), "--json")

    assert (told.exit_code, facts.exit_code) == (1, 1)
    assert "chain 0, entry 1: 1 entries were cut off after this one" in told.stdout
    assert json.loads(facts.stdout)["intact"] is False


@pytest.mark.usefixtures("written")
def test_an_anchor_is_renewed(models: Path, url: str, tmp_path: Path) -> None:
    anchor = str(tmp_path / "anchor.json")
    first, second = (
        timber(models, url, "audit", "verify", "--renew", "--anchor", anchor) for _ in range(2)
    )

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "intact since the anchor was made" in second.stdout
    assert timber(models, url, "audit", "verify", "--renew").exit_code == 2


@pytest.mark.usefixtures("written")
def test_retention_is_run_and_held(models: Path, url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "notes.db") as database:
        database.execute("UPDATE notes SET written_at = '2001-01-01 00:00:00.000000' WHERE id = 1")
    database.close()

    held = timber(models, url, "retention", "hold", "notes", "--reason", "case 7")
    nothing = timber(models, url, "retention", "run")
    released = timber(models, url, "retention", "release", "notes")
    dry = timber(models, url, "retention", "run", "--dry-run")
    done = timber(models, url, "retention", "run", "--json")
    status = timber(models, url, "retention", "status")

    assert "notes is held" in held.stdout
    assert nothing.stdout == "notes: held (case 7), nothing was touched\n"
    assert "notes is released" in released.stdout
    assert dry.stdout == "notes: 1 rows would be deleted\n"
    assert json.loads(done.stdout)["tables"][0]["rows"] == 1
    assert "notes: delete 1 hours after written_at; 0 rows are due" in status.stdout
    assert "never" not in status.stdout
    actors = timber(models, url, "audit", "log", "--operation", "delete").stdout
    assert "timber retention  delete  notes 1" in actors


def test_without_the_flags_the_commands_say_so(models: Path, url: str) -> None:
    (models / "models.yaml").write_text(MODELS.replace("enabled: true", "enabled: false"))
    with opened(models, url):
        pass

    audit, retention = (
        timber(models, url, "audit", "verify"),
        timber(models, url, "retention", "run"),
    )

    assert (audit.exit_code, retention.exit_code) == (2, 2)
    assert "audit: {enabled: true}" in audit.output
    assert "retention: {enabled: true" in retention.output


def test_migrations_take_the_triggers_along(models: Path, url: str, tmp_path: Path) -> None:
    steps = ("--migrations", str(tmp_path / "steps"))
    changed = MODELS.replace("body", "words, was: body", 1).replace("[body]", "[words]")

    with opened(models, url, create_tables=False) as one:
        one.keys.need(may_create=True)
    for text in (MODELS, changed):
        (models / "models.yaml").write_text(text)
        for command in ("plan", "apply"):
            done = timber(models, url, "migrate", command, *steps)
            assert done.exit_code == 0, done.output
        with opened(models, url, create_tables=False) as one:
            name = "words" if text is changed else "body"
            number = 2 if text is changed else 1
            one.database.bulk_insert(one.models.get("Note"), [{"id": number, name: "x"}])
            [entry] = one.audit.log(key=[number], operation="insert")
            assert entry.columns == (name,)
            assert one.audit.verify().is_intact
            assert len(list(one.audit.log(operation="migrate"))) == number
    status = timber(models, url, "migrate", "status", "--check", *steps)
    back = timber(models, url, "migrate", "rollback", "--allow-data-loss", *steps)

    assert status.exit_code == 0, status.output
    assert back.exit_code == 0, back.output
