import subprocess
from pathlib import Path

import pytest
from tests.e2e.puppets import CAST, command, environment, run_json

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def rehearse(tmp_path: Path, *, hours: int, seed: int, hash_seed: str) -> dict[str, object]:
    arguments = ("rehearse", "--hours", str(hours), "--seed", str(seed), "--json")
    found: dict[str, object] = run_json(
        *arguments, "--agents", str(CAST), cwd=tmp_path, PYTHONHASHSEED=hash_seed
    )
    return found


def test_a_day_of_the_cast_is_lively_without_errors(tmp_path: Path) -> None:
    day = rehearse(tmp_path, hours=24, seed=7, hash_seed="1")

    posts, replies = day["posts"], day["replies"]
    assert isinstance(posts, int)
    assert posts >= 20
    assert isinstance(replies, int)
    assert replies >= 5
    assert day["errors"] == 0
    assert day["virtual_hours"] == 24
    assert not list(tmp_path.iterdir())


def test_a_seed_is_a_life_and_another_seed_another(tmp_path: Path) -> None:
    one, again = (rehearse(tmp_path, hours=5, seed=1, hash_seed=each) for each in "12")
    other = rehearse(tmp_path, hours=5, seed=2, hash_seed="0")

    assert one["replies"]
    assert {**one, "wall_seconds": 0} == {**again, "wall_seconds": 0}
    assert one["digest"] != other["digest"]


def test_where_nobody_is_there_the_cure_is_told_and_no_life_reported(tmp_path: Path) -> None:
    asked = subprocess.run(
        command("rehearse", "--hours", "1", "--json"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "config/agents has no personas: write one to a file in it" in asked.stderr
