"""What the `puppets` command refuses before anything starts."""

import sys
from importlib.abc import MetaPathFinder

import pytest
from rich.console import Console
from typer.testing import CliRunner
from typing_extensions import override

from puppet_engine.__main__ import main
from puppet_engine.cli import cli
from puppet_engine.core.settings import Settings


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


@pytest.mark.parametrize(
    ("arguments", "variable", "speed"),
    [((), None, 240), ((), "30", 30), (("--speed", "7"), "30", 7)],
)
def test_the_speed_is_the_argument_or_the_environment_or_worth_watching(
    arguments: tuple[str, ...],
    variable: str | None,
    speed: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Settings] = []

    async def run(settings: Settings, *, console: Console) -> None:
        started.append(settings)

    monkeypatch.setattr("puppet_engine.cli.run", run)
    if variable is not None:
        monkeypatch.setenv("PUPPET_SPEED", variable)

    result = CliRunner().invoke(cli, ["run", *arguments])

    assert result.exit_code == 0
    assert [settings.speed for settings in started] == [speed]


def test_ctrl_c_while_the_program_loads_ends_it_without_a_traceback() -> None:
    class Impatient(MetaPathFinder):
        @override
        def find_spec(self, fullname: str, *_: object) -> None:
            if fullname == "puppet_engine.cli":
                raise KeyboardInterrupt

    loaded = sys.modules.pop("puppet_engine.cli")
    impatient = Impatient()
    sys.meta_path.insert(0, impatient)
    try:
        with pytest.raises(SystemExit, match="130"):
            main()
    finally:
        sys.meta_path.remove(impatient)
        sys.modules["puppet_engine.cli"] = loaded
