"""What the module of all models promises at run time."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import timber_models
from timber.common.errors import NotOpenError

SRC: Final = Path(__file__).parents[3] / "src"


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
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_model_asked_for_too_early_names_the_cure() -> None:
    with pytest.raises(NotOpenError, match="initialize_timber"):
        _ = timber_models.User


def test_what_python_itself_asks_a_module_for_is_not_a_model() -> None:
    assert not hasattr(timber_models, "__wrapped__")
