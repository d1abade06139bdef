"""What the `puppets` command refuses before anything starts."""

import pytest
from typer.testing import CliRunner

from puppet_engine.cli import cli


@pytest.mark.parametrize(
    "arguments",
    [
        ("rehearse", "--hours", "inf"),
        ("rehearse", "--hours", "1e7"),
        ("run", "--speed", "inf"),
        ("run", "--speed", "1e300"),
    ],
)
def test_a_span_or_speed_without_measure_is_refused(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, list(arguments))

    assert result.exit_code == 2
    assert "Invalid value" in result.output
