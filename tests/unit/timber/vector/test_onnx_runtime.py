"""What embeds texts keeps nothing of its own on the machine, and reports nothing."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

EMBEDS = "from timber.common.vector.embedders.minilm import MiniLM; MiniLM(threads=1).generate_embedding('a')"
MAKES_A_GRAPH = "from timber.common.vector import ann_index; ann_index._usearch()"
LOADED_BEFORE = (
    "import onnxruntime; said = []; onnxruntime.disable_telemetry_events = lambda: said.append(1);"
    f" {EMBEDS}; assert said == [1], said"
)


def _run(program: str, home: Path, **more: str) -> set[str]:
    """Run a program as a user who has nothing; return what it left at home."""
    kept: Mapping[str, str] = {
        name: value
        for name, value in os.environ.items()
        if name not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    environment = {**kept, "HOME": str(home), **more}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    return {file.name for file in home.rglob("*") if file.is_file()}


@pytest.mark.parametrize("program", [EMBEDS, MAKES_A_GRAPH])
def test_who_embeds_or_searches_leaves_no_record_of_events(program: str, tmp_path: Path) -> None:
    assert _run(program, tmp_path) == set()


def test_who_loaded_the_runtime_before_has_its_reports_stopped(tmp_path: Path) -> None:
    _run(LOADED_BEFORE, tmp_path)


def test_who_asks_for_its_telemetry_has_it(tmp_path: Path) -> None:
    assert _run(EMBEDS, tmp_path, ORT_DISABLE_TELEMETRY="0")
