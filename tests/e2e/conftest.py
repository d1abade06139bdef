"""What the tests of whole programs share."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.puppets import ROOT, environment


@dataclass(frozen=True)
class Installed:
    """The wheel, installed in a folder of its own, away from the sources."""

    folder: Path

    def run(self, *command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
        # Not measured: coverage is of the sources, not of a copy of them.
        unmeasured = {
            name: value
            for name, value in environment(PYTHONPATH=str(self.folder)).items()
            if not name.startswith("COVERAGE_")
        }
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=unmeasured,
            capture_output=True,
            text=True,
            check=False,
        )

    def timber(self, *arguments: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
        return self.run(self.folder / "bin" / "timber", *arguments, cwd=cwd)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it; what it needs is there already."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = folder / "dist"
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT))
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    [wheel] = wheels.glob("*.whl")
    target = folder / "packages"
    install = ("-m", "pip", "install", "--no-index", "--no-deps", "--target", str(target))
    subprocess.run([sys.executable, *install, str(wheel)], check=True, capture_output=True)
    return Installed(target)
