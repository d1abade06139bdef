"""mypy and pyright, as processes that say which lines are wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.e2e.conftest import Installed
from tests.npm import npm_package

PYRIGHT_VERSION: Final = "1.1.414"
Check = Callable[[Installed, Path], set[int]]
"""Checks a file and returns the numbers of the lines that are wrong."""


def mypy(installed: Installed, file: Path) -> set[int]:
    options = ("--strict", "--output", "json", "--cache-dir", installed.folder / ".mypy_cache")
    done = installed.run(sys.executable, "-m", "mypy", *options, file.name, cwd=file.parent)
    assert done.stderr == ""
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {one["file"] for one in found} <= {file.name}, done.stdout
    return {one["line"] for one in found if one["severity"] == "error"}


def _pyright() -> Path:
    return npm_package("pyright", PYRIGHT_VERSION) / ".bin" / "pyright"


def pyright(installed: Installed, file: Path) -> set[int]:
    file.with_name("pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    options = ("--outputjson", "--pythonpath", sys.executable)
    done = installed.run(_pyright(), *options, file.name, cwd=file.parent)
    assert done.stderr == ""
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {Path(one["file"]).name for one in found} <= {file.name}, done.stdout
    return {one["range"]["start"]["line"] + 1 for one in found if one["severity"] != "information"}
