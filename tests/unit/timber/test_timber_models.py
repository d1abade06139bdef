"""What the module of all models promises at run time."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import timber_models

SRC: Final = Path(__file__).parents[3] / "src"


def run(program: str) -> tuple[int, str]:
    """Run a program in a process of its own: this one may have opened the process-wide Timber."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_model_is_an_attribute_while_timber_is_open() -> None:
    program = """
import timber_models
from timber.common import initialize_timber, shutdown_timber
from timber.common.models import get_model

initialize_timber()
assert timber_models.User is get_model("User") is timber_models.get_model("User")
assert not hasattr(timber_models, "Usr")
shutdown_timber()
"""
    assert run(program) == (0, "")


def test_a_model_asked_for_too_early_names_the_cure() -> None:
    code, told = run("import timber_models; timber_models.User")

    assert code == 1
    assert "NotOpenError" in told
    assert "initialize_timber" in told


def test_what_python_itself_asks_a_module_for_is_not_a_model() -> None:
    assert not hasattr(timber_models, "__wrapped__")
