"""mypy and pyright, as processes that say which lines are wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from tests.e2e.conftest import Installed
from tests.npm import npm_package

PYRIGHT_VERSION: Final = "1.1.414"
Line: TypeAlias = tuple[str, int]
"""The name of a file, and the number of a line in it."""
Check: TypeAlias = Callable[..., set[Line]]
"""Checks files of one folder, by the packages installed, and returns the lines that are wrong."""


def mypy(installed: Installed, *files: Path) -> set[Line]:
    options = ("--strict", "--output", "json", "--cache-dir", installed.folder / ".mypy_cache")
    names = [file.name for file in files]
    done = installed.run(sys.executable, "-m", "mypy", *options, *names, cwd=files[0].parent)
    assert done.stderr == ""
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {one["file"] for one in found} <= set(names), done.stdout
    return {(one["file"], one["line"]) for one in found if one["severity"] == "error"}


def _pyright() -> Path:
    return npm_package("pyright", PYRIGHT_VERSION) / ".bin" / "pyright"


def pyright(installed: Installed, *files: Path) -> set[Line]:
    names = [file.name for file in files]
    files[0].with_name("pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    options = ("--outputjson", "--pythonpath", sys.executable)
    done = installed.run(_pyright(), *options, *names, cwd=files[0].parent)
    assert done.stderr == ""
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {Path(one["file"]).name for one in found} <= set(names), done.stdout
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1)
        for one in found
        if one["severity"] != "information"
    }
