"""The `puppets measure` command."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from puppet_engine.appraisal.report import Appraisal
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import AgentConfig
from puppet_engine.main import read_cast
from puppet_engine.simulation.bar import bar

BEYOND: Final = 1
"""The exit code when a measure is beyond its line."""


def measure_command(
    days: Annotated[float, typer.Option(min=1, max=366, help="Virtual days to live.")] = 90,
    seed: Annotated[int, typer.Option(help="Where all chance comes from.")] = 7,
    out: Annotated[
        Path, typer.Option(help="The folder for measures.json, and the page measures.html.")
    ] = Path("var/measures"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
    agents: Annotated[
        Path | None,
        typer.Option("--agents", help="The folder of persona files.", show_default=False),
    ] = None,
) -> None:
    """Rehearse a cast, and measure style, repetition, authorship, drift and more of what it said.

    The exit code is 1 when a measure is beyond its line. Shorter lives than 90 days may be:
    the lines are meant for a life of that length.
    """
    with errors_for_people():
        cast = read_cast(read_settings(agents_dir=agents))
        found = _measured(cast, days=days, seed=seed, quiet=as_json)
        _write(out, found)
        _tell(found, out, as_json=as_json)
    if not found.holds:
        raise typer.Exit(code=BEYOND)


def _measured(cast: list[AgentConfig], *, days: float, seed: int, quiet: bool) -> Appraisal:
    if not cast:
        raise ConfigurationError("there is nobody to measure; name a folder with --agents")
    try:
        from puppet_engine.appraisal.appraise import (  # noqa: PLC0415 - needs an extra
            rehearse_and_appraise,
        )
    except ImportError as error:
        raise ConfigurationError(
            f"measuring needs {error.name!r}: pip install 'puppet-engine[measure]'"
        ) from error
    with bar(days, quiet=quiet) as progress:
        return asyncio.run(rehearse_and_appraise(cast, days=days, seed=seed, progress=progress))


def _write(folder: Path, found: Appraisal) -> None:
    from puppet_engine.appraisal.page import page  # noqa: PLC0415 - needs an extra

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "measures.json").write_text(_as_json(found), encoding="utf-8")
        (folder / "measures.html").write_text(page(found), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written: {error.strerror}") from error


def _as_json(found: Appraisal) -> str:
    return found.model_dump_json(indent=1) + "\n"


def _tell(found: Appraisal, folder: Path, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(_as_json(found))
        return
    table = Table("measure", "whose", "value", "line", "of", "")
    for verdict in found.verdicts.values():
        for reading in verdict.held:
            mark = "holds" if reading.holds else "BEYOND"
            cells = (reading.of, reading.whose, reading.figure, reading.line, f"{reading.count:,}")
            table.add_row(*cells, mark, style=None if reading.holds else "red")
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(
        f"{found.texts:,} texts of {len(found.handles)} personas in {found.days:g} virtual days; "
        f"{found.lived_seconds:.0f} s of processor time to live, "
        f"{found.measured_seconds:.0f} s to measure.\nTo look at: {folder / 'measures.html'}",
        markup=False,
    )
