"""What embeds texts keeps nothing of its own on the machine, and reports nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EMBEDS = (
    "from timber.common.vector.embedders.minilm import MiniLM;"
    " MiniLM(threads=1).generate_embedding('a secret')"
)
MAKES_A_GRAPH = "from timber.common.vector import ann_index; ann_index._usearch()"
LOADED_BEFORE = (
    "import onnxruntime; said = []; onnxruntime.disable_telemetry_events = lambda: said.append(1);"
    f" {EMBEDS}; assert said == [1], said"
)


def _run(program: str, home: Path) -> set[str]:
    """Run a program as a user who has nothing; return what it left at home."""
    # Nothing else is handed on: the runtime keeps no record where a variable speaks of CI.
    alone = {"HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=alone, check=True)
    return {file.name for file in home.rglob("*") if file.is_file()}


@pytest.mark.parametrize("program", [EMBEDS, MAKES_A_GRAPH])
def test_who_embeds_or_searches_leaves_no_record_of_events(program: str, tmp_path: Path) -> None:
    assert _run(program, tmp_path) == set()


def test_the_runtime_by_itself_would_leave_one(tmp_path: Path) -> None:
    assert _run("import onnxruntime", tmp_path)


def test_who_loaded_the_runtime_before_has_its_reports_stopped(tmp_path: Path) -> None:
    _run(LOADED_BEFORE, tmp_path)
