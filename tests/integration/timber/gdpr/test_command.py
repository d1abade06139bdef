"""`timber gdpr` as people and programs use it."""

import json
from pathlib import Path

import pytest
from tests.integration.timber.gdpr.conftest import naming, plant, settings_of, stored
from tests.integration.timber.vector.hashing import Hashing
from typer.testing import CliRunner, Result

from timber.commands.app import cli
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration


class Command:
    """The command over a file with two persons."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings_of(f"sqlite:///{folder}/data.db", folder, keystore=None)
        self.models = str(folder / "models")
        with Timber().opened(self.settings) as timber:
            timber.vector_ingestion.embedding_service = Hashing()
            plant(timber, "ann", "bob")

    def __call__(self, *arguments: str, answer: str = "") -> Result:
        name, *rest = arguments
        where = [self.models, "--database", self.settings.database_url]
        return CliRunner().invoke(cli, ["gdpr", name, *rest, *where], input=answer)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_a_person_is_exported_shown_erased_and_proven_to_be(
    command: Command, tmp_path: Path
) -> None:
    file, certificate = tmp_path / "ann.zip", tmp_path / "certificate.json"

    exported = command("export", "ann", str(file), "--format", "csv")
    shown = command("erase", "ann", "--dry-run")
    erased = command("erase", "ann", "--yes", "--certificate", str(certificate))
    verified = command("verify", str(certificate))
    alone = CliRunner().invoke(cli, ["gdpr", "verify", str(certificate)])
    told = command("status")

    assert exported.output == f"wrote 23 rows to {file}\n"
    assert file.stat().st_size > 0
    assert "notes: 3 rows to delete, by author_id\n" in shown.output
    assert "orders: 1 rows to anonymise, by buyer_id (street, gift_text)\n" in shown.output
    assert "texts, with their vectors: 4 pieces to delete" in shown.output
    assert erased.exit_code == 0
    assert "16 rows deleted, 1 rows anonymised, 1 rows unlinked" in erased.output
    assert "signed by the keystore of this database" in verified.output
    assert "whether that key is the right one" in alone.output
    assert "finished" in told.output
    with Timber().opened(command.settings) as timber:
        assert naming(stored(timber), "ann") == {}


def test_erasure_asks_first(command: Command) -> None:
    refused = command("erase", "ann", answer="n\n")

    assert refused.exit_code == 1
    assert "Erase this for good?" in refused.output
    with Timber().opened(command.settings) as timber:
        assert naming(stored(timber), "ann")["notes"] == 3


def test_programs_are_told_in_json(command: Command) -> None:
    plan = json.loads(command("erase", "ann", "--dry-run", "--json").stdout)
    certificate = json.loads(command("erase", "ann", "--yes", "--json").stdout)
    status = json.loads(command("status", "--json").stdout)
    replayed = json.loads(command("replay", "--all", "--json").stdout)

    assert {one["table"] for one in plan["tables"]} > {"users", "notes", "lines"}
    assert certificate["format"] == "timber-erasure-certificate/1"
    assert [one["certificate"] for one in status["erasures"]] == [certificate]
    assert replayed == {"resumed": 0, "repeated": 0, "stuck": 0}


def test_what_is_wrong_is_said_in_a_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("{}", encoding="utf-8")

    nobody = command("erase", "nobody", "--yes")
    none = command("verify", str(tmp_path / "none.json"))
    missing = command("verify", str(tmp_path / "missing.json"))

    assert (nobody.exit_code, none.exit_code, missing.exit_code) == (2, 2, 2)
    assert "error: User not found: 'nobody'" in nobody.output
    assert "error: this is no certificate" in none.output
    assert "cannot be read" in missing.output
