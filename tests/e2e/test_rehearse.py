from pathlib import Path

import pytest
from tests.e2e.puppets import CAST, run_json

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def rehearse(tmp_path: Path, *, hours: int, seed: int, hash_seed: str) -> dict[str, object]:
    arguments = ("rehearse", "--hours", str(hours), "--seed", str(seed), "--json")
    found: dict[str, object] = run_json(
        *arguments, "--agents", str(CAST), cwd=tmp_path, PYTHONHASHSEED=hash_seed
    )
    return found


def test_a_day_of_the_cast_is_lively_without_errors_and_repeatable(tmp_path: Path) -> None:
    first = rehearse(tmp_path, hours=24, seed=7, hash_seed="1")
    second = rehearse(tmp_path, hours=24, seed=7, hash_seed="2")

    posts, replies, wall = first["posts"], first["replies"], first["wall_seconds"]
    assert isinstance(posts, int)
    assert posts >= 20
    assert isinstance(replies, int)
    assert replies >= 5
    assert first["errors"] == 0
    assert first["virtual_hours"] == 24
    assert isinstance(wall, float)
    # The promise is 60 s on a machine that does nothing else; here other tests run beside.
    assert wall < 120
    assert first["digest"] == second["digest"]
    assert {**first, "wall_seconds": 0} == {**second, "wall_seconds": 0}
    assert not list(tmp_path.iterdir())


def test_another_seed_is_another_life(tmp_path: Path) -> None:
    one = rehearse(tmp_path, hours=3, seed=1, hash_seed="0")
    other = rehearse(tmp_path, hours=3, seed=2, hash_seed="0")

    assert one["digest"] != other["digest"]
