"""`puppets soak`: what it needs, and what it says without it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli

pytestmark = pytest.mark.unit

CAST = Path(__file__).parents[3] / "config/agents"


def test_a_persona_that_is_not_there_is_told_with_those_that_are() -> None:
    result = CliRunner().invoke(cli, ["soak", "nobody_of_that_name", "--agents", str(CAST)])

    assert result.exit_code == 2
    assert "there is no persona 'nobody_of_that_name'" in result.stderr
    assert "moth" in result.stderr


def test_a_life_too_short_for_two_months_is_refused() -> None:
    result = CliRunner().invoke(cli, ["soak", "--days", "30", "--agents", str(CAST)])

    assert result.exit_code == 2
