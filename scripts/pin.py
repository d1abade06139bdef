"""Write `constraints.txt`: the exact version of everything a full installation brings.

The versions are resolved by the Python that runs this; use the oldest that is supported,
so that every newer one can install them too.
"""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HEADER = "# Every version of a full installation, written by `make pin`.\n"


def resolve() -> list[dict[str, Any]]:
    """Ask pip what it would install into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--report", "-", "--group", "dev", "--editable", ".[all,examples]"]
    answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    report: dict[str, list[dict[str, Any]]] = json.loads(answer.stdout)
    return report["install"]


def pins(install: list[dict[str, Any]]) -> list[str]:
    """Return `name==version` of everything in a pip report but ourselves, and of pip, sorted."""
    found = [item["metadata"] for item in install if "dir_info" not in item["download_info"]]
    pinned = {f"{metadata['name']}=={metadata['version']}" for metadata in found}
    return sorted({*pinned, f"pip=={version('pip')}"}, key=str.lower)


def main() -> None:
    """Resolve and write."""
    text = HEADER + "\n".join(pins(resolve())) + "\n"
    ROOT.joinpath("constraints.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
