"""What an export holds, in both of its forms, and what it does not."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.integration.timber.gdpr.conftest import naming, plant

from timber.common.errors import ErasureError
from timber.common.runtime import Timber

pytestmark = pytest.mark.integration

SECTIONS = {
    "User": 1,
    "Note": 3,
    "Line": 3,
    "note_tags": 3,
    "Research": 1,
    "Order": 1,
    "Visit": 1,
    "Notification": 1,
    "NotificationCounter": 1,
    "TrackedEvent": 1,
    "IdempotencyKey": 1,
    "StateTransition": 2,
    # Two notes, for the third is deleted; a topic, and a document.
    "VectorChunk": 4,
}


def exported(timber: Timber, name: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    with timber.gdpr.export(name) as rows:
        for row in rows:
            found.setdefault(row.section, []).append(dict(row.values))
    return found


def test_an_export_is_complete_and_holds_nothing_of_others(timber: Timber) -> None:
    plant(timber, "ann", "bob")

    found = exported(timber, "ann")

    assert {name: len(rows) for name, rows in found.items()} == SECTIONS
    assert naming(found, "bob") == {}
    assert {row["content"] for row in found["VectorChunk"]} == {
        *("ann's note ann-0", "ann's note ann-1", "ann's topic", "ann's document")
    }
    assert {row["reason"] for row in found["StateTransition"]} == {None, "ann's reason"}
    assert any(row["deleted_at"] for row in found["Note"])


def test_a_model_that_names_its_fields_exports_its_key_and_those(timber: Timber) -> None:
    plant(timber, "ann")

    [research] = exported(timber, "ann")["Research"]

    assert research.keys() == {"id", "topic", "config", "data"}
    assert research["config"] == {"x": "ann's config"}


def test_a_document_of_json_holds_every_row(timber: Timber, tmp_path: Path) -> None:
    plant(timber, "ann")
    file = tmp_path / "out" / "ann.json"
    told: list[tuple[int, int]] = []

    count = timber.gdpr.export_json(
        "ann", file, on_progress=lambda done, total: told.append((done, total))
    )

    document = json.loads(file.read_text(encoding="utf-8"))
    assert {name: len(rows) for name, rows in document["rows"].items()} == SECTIONS
    assert document["format"] == "timber-export/1"
    assert document["subject"] == {"model": "User", "key": "ann"}
    assert told[-1] == (count, count) == (sum(SECTIONS.values()),) * 2
    assert document["rows"]["Order"][0]["total"] == "12.00"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("target", ["ann", "ann.zip"])
def test_csv_has_a_file_for_each_model(timber: Timber, tmp_path: Path, target: str) -> None:
    plant(timber, "ann")

    timber.gdpr.export_csv("ann", tmp_path / target)

    files = read_csv(tmp_path / target)
    assert {name.removesuffix(".csv"): len(rows) for name, rows in files.items()} == SECTIONS
    assert files["Note.csv"][0]["body"] == "ann's note ann-0"
    assert json.loads(files["Research.csv"][0]["config"]) == {"x": "ann's config"}


def test_what_is_exported_is_for_its_owner_alone(timber: Timber, tmp_path: Path) -> None:
    plant(timber, "ann")

    timber.gdpr.export_json("ann", tmp_path / "ann.json")
    timber.gdpr.export_csv("ann", tmp_path / "ann.zip")
    timber.gdpr.export_csv("ann", tmp_path / "ann")

    files = [tmp_path / "ann.json", tmp_path / "ann.zip", *(tmp_path / "ann").glob("*.csv")]
    assert len(files) > 3
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}


def test_a_folder_with_other_files_is_left_alone(timber: Timber, tmp_path: Path) -> None:
    plant(timber, "ann")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "User.csv").write_text("mine", encoding="utf-8")

    with pytest.raises(ErasureError, match="is not empty"):
        timber.gdpr.export_csv("ann", tmp_path / "full")

    assert (tmp_path / "full" / "User.csv").read_text(encoding="utf-8") == "mine"


def test_an_export_that_fails_leaves_no_half_file(
    timber: Timber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(timber, "ann")

    def fail(_done: int, _total: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        timber.gdpr.export_json("ann", tmp_path / "out" / "ann.json", on_progress=fail)

    assert list((tmp_path / "out").iterdir()) == []


def test_rows_of_a_person_without_a_row_of_its_own_are_found_by_their_column(
    timber: Timber,
) -> None:
    visits = timber.base.metadata.tables["visits"]
    with timber.database.engine.begin() as connection:
        connection.execute(insert(visits), {"id": 1, "user_id": "ghost", "page": "a page"})

    assert exported(timber, "ghost") == {
        "Visit": [{"id": 1, "user_id": "ghost", "page": "a page"}]
    }
    assert timber.gdpr.erase("ghost").tables == {"visits": {"deleted": 1}}


def read_csv(target: Path) -> dict[str, list[dict[str, str]]]:
    if target.suffix == ".zip":
        with zipfile.ZipFile(target) as archive:
            texts = {name: archive.read(name).decode() for name in archive.namelist()}
    else:
        texts = {file.name: file.read_text(encoding="utf-8") for file in target.iterdir()}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}
