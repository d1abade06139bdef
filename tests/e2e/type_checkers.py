"""mypy and pyright, as processes that say which lines are wrong."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.conftest import Installed
from tests.e2e.puppets import ROOT

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


def pyright(installed: Installed, file: Path) -> set[int]:
    file.with_name("pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    options = ("--outputjson", "--pythonpath", sys.executable)
    done = installed.run(_pyright_command(), *options, file.name, cwd=file.parent)
    assert done.stderr == ""
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {Path(one["file"]).name for one in found} <= {file.name}, done.stdout
    return {one["range"]["start"]["line"] + 1 for one in found if one["severity"] != "information"}


def _pyright_command() -> Path:
    """Return pyright, which npm fetches the first time only."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"pyright needs the system package of {' and '.join(missing)}")
    folder = ROOT / ".cache" / f"pyright-{PYRIGHT_VERSION}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fetched:
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
            subprocess.run(
                ["npm", "install", *options, "--prefix", fetched, f"pyright@{PYRIGHT_VERSION}"],
                check=True,
                capture_output=True,
            )
            # Moved when it is whole: another process never sees half of it.
            Path(fetched, "node_modules").rename(folder)
    return folder / ".bin" / "pyright"
