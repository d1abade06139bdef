"""What the tests of whole programs share."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.puppets import ROOT, environment
from tests.forks import Ended, Forks

TIMBER: Final = "from timber.cli import main; main()"


@dataclass(frozen=True)
class Installed:
    """The wheel, installed in a folder of its own, away from the sources."""

    folder: Path
    forks: Forks
    """With the command imported, for most tests of it are not about its start."""

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

    def timber(self, *arguments: str | Path, cwd: Path) -> Ended:
        return self.forks.run(TIMBER, *arguments, cwd=cwd)

    def timber_started(self, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Start the program that the installation has put there."""
        return self.run(self.folder / "bin" / "timber", *arguments, cwd=cwd)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Build the wheel and install it; what it needs is there already."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = folder / "dist"
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT))
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    [wheel] = wheels.glob("*.whl")
    target = folder / "packages"
    install = ("-m", "pip", "install", "--no-index", "--no-deps", "--target", str(target))
    subprocess.run([sys.executable, *install, str(wheel)], check=True, capture_output=True)
    with Forks.opened("timber.commands.app", packages=target) as forks:
        where = forks.run("import timber; print(timber.__file__)").stdout
        assert where.startswith(str(target)), where
        yield Installed(target, forks)
