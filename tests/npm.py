"""Programs that npm carries, fetched once for all test processes."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
_OPTIONS: Final = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


def npm_package(name: str, version: str) -> Path:
    """Return the `node_modules` that hold a package; npm is asked the first time only.

    Skips the test where the system packages of node and npm are missing.
    """
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{name} needs the system package of {' and '.join(missing)}")
    folder = ROOT / ".cache" / f"{name.strip('@').replace('/', '-')}-{version}"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        # One process fetches, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(f"{name}@{version}", folder)
    return folder


def _fetch(package: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as fetched:
        done = subprocess.run(
            ["npm", "install", *_OPTIONS, "--prefix", fetched, package],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"npm cannot fetch {package}: {done.stderr}"
        # Moved when it is whole: what a killed run leaves is never taken for it.
        Path(fetched, "node_modules").rename(folder)
