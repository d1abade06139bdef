"""`puppets measure` over a short life of the whole cast."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli
from puppet_engine.personas.reader import read_personas

pytestmark = [pytest.mark.unit, pytest.mark.xdist_group("measures")]

CAST = Path(__file__).parents[3] / "config/agents"
DAYS = "3"

SHORT = {
    "authorship",
    "drift",
    "population",
    "rhythm",
    "mood",
    "showing",
    "relationships",
    "topics",
}
"""What a short life may leave open: these need more texts, or more moments."""


@pytest.mark.timeout(240)
def test_a_short_life_of_the_cast_is_measured_told_and_shown(tmp_path: Path) -> None:
    arguments = ["--days", DAYS, "--seed", "7", "--agents", str(CAST), "--out", str(tmp_path)]

    result = CliRunner().invoke(cli, ["measure", *arguments, "--json"])

    assert result.exit_code in {0, 1}, result.output
    told = json.loads(result.stdout)
    assert told == json.loads((tmp_path / "measures.json").read_text())
    verdicts = told["verdicts"]
    assert result.exit_code == (0 if all(it["holds"] for it in verdicts.values()) else 1)
    beyond = {
        reading["of"]
        for name, verdict in verdicts.items()
        for reading in verdict["readings"]
        if name not in SHORT and reading["holds"] is False
    }
    # Of some forty texts, two that begin alike are more than one in twenty.
    assert beyond <= {"texts with the commonest opening"}
    assert told["texts"] > 200
    half_lives = [it for it in verdicts["mood"]["readings"] if it["of"].startswith("half-life")]
    wanted = [it.personality.emotional_range.half_life_hours for it in read_personas(CAST)]
    assert [it["value"] for it in half_lives] == pytest.approx(wanted, rel=0.05)
    page = (tmp_path / "measures.html").read_text()
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(|src=", page)
    assert all(f"@{handle}" in page for handle in told["handles"])


def test_without_what_measures_need_it_says_what_to_install(tmp_path: Path) -> None:
    # In a process of its own: what is imported without it would stay in this one.
    program = "import sys; sys.modules['sklearn'] = None; from puppet_engine.cli import cli; cli()"
    arguments = ["measure", "--days", "1", "--agents", str(CAST), "--out", str(tmp_path)]

    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=False, capture_output=True, text=True
    )

    assert ended.returncode == 2
    assert "pip install 'puppet-engine[measure]'" in ended.stderr


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = CliRunner().invoke(
        cli, ["measure", "--days", "1", "--agents", str(CAST), "--out", str(tmp_path / "file")]
    )

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
