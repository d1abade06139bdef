"""The `puppets measure` command."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from puppet_engine.commands.options import Agents, AsJson, Seed
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import AgentConfig
from puppet_engine.main import read_cast
from puppet_engine.simulation.bar import bar, steps

BEYOND: Final = 1
"""The exit code when a measure is beyond its line."""


def measure_command(
    days: Annotated[float, typer.Option(min=1, max=366, help="Virtual days to live.")] = 90,
    seed: Seed = 7,
    out: Annotated[
        Path, typer.Option(help="The folder for measures.json, and the page measures.html.")
    ] = Path("var/measures"),
    as_json: AsJson = False,
    agents: Agents = None,
) -> None:
    """Rehearse a cast, and measure style, repetition, authorship, drift and more of what it said.

    The exit code is 1 when a measure is beyond its line. Shorter lives than 90 days may be:
    the lines are meant for a life of that length.
    """
    with errors_for_people():
        cast = read_cast(read_settings(agents_dir=agents))
        if not cast:
            raise ConfigurationError("there is nobody to measure; name a folder with --agents")
        holds = _measure(cast, out, days=days, seed=seed, as_json=as_json)
    if not holds:
        raise typer.Exit(code=BEYOND)


def _measure(cast: list[AgentConfig], out: Path, *, days: float, seed: int, as_json: bool) -> bool:
    """Measure a cast, and return whether everything holds."""
    try:
        from puppet_engine.appraisal.appraise import appraise, live  # noqa: PLC0415 - an extra
        from puppet_engine.appraisal.telling import Files, tell  # noqa: PLC0415 - the same
    except ImportError as error:
        raise ConfigurationError(
            f"measuring needs {error.name!r}: pip install 'puppet-engine[measure]'"
        ) from error
    files = Files(out)
    with bar(days, quiet=as_json) as progress:
        lived = asyncio.run(live(cast, days=days, seed=seed, progress=progress))
    with steps(quiet=as_json) as measuring:
        found = appraise(lived, measuring=measuring)
    files.write(found)
    tell(found, files, as_json=as_json)
    return found.holds
