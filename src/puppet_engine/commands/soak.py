"""The `puppets soak` command."""

import asyncio
import sys
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from puppet_engine.appraisal.year import ROOM, live_a_year
from puppet_engine.commands.options import Agents, AsJson, Seed
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.core.models import AgentConfig
from puppet_engine.main import read_cast
from puppet_engine.measures.levelling import Levelling
from puppet_engine.measures.reading import hold
from puppet_engine.simulation.bar import bar

GROWS: Final = 1
"""The exit code when something does not level off."""


def soak_command(
    persona: Annotated[
        str | None,
        typer.Argument(help="The id of the persona. The first when left out.", show_default=False),
    ] = None,
    days: Annotated[float, typer.Option(min=180, max=366, help="Virtual days to live.")] = 365,
    seed: Seed = 7,
    room: Annotated[int, typer.Option(min=100, help="For so many memories there is room.")] = ROOM,
    as_json: AsJson = False,
    agents: Agents = None,
) -> None:
    """Let one persona live a year with visitors; show what it keeps and recalls each month.

    Visitors tell it things, and each month it is asked for those of the last three weeks.
    The exit code is 1 when what it keeps, or what it recalls, does not level off.
    """
    with errors_for_people():
        config = _chosen(read_cast(read_settings(agents_dir=agents)), persona)
        with bar(days, quiet=as_json) as progress:
            found = asyncio.run(
                live_a_year(config, days=days, seed=seed, room=room, progress=progress)
            )
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
    else:
        _show(found)
    if not hold(found.readings):
        raise typer.Exit(code=GROWS)


def _chosen(cast: list[AgentConfig], persona: str | None) -> AgentConfig:
    for config in cast:
        if persona in {None, config.id}:
            return config
    known = ", ".join(config.id for config in cast) or "nobody at all"
    raise ConfigurationError(f"there is no persona {persona!r}; there are: {known}")


def _show(found: Levelling) -> None:
    console = Console(highlight=False)
    table = Table("month", "memories", "their text", "database", "asked", "recall@10")
    for one in found.months:
        table.add_row(
            f"{one.number}",
            f"{one.memories:,}",
            f"{one.text_bytes / 1024:,.0f} KiB",
            f"{one.file_bytes / 1024**2:,.1f} MiB",
            f"{one.asked}",
            f"{one.recall:.0%}",
        )
    console.print(table)
    for reading in found.readings:
        mark = "[green]holds[/] " if reading.holds else "[red]beyond[/]"
        console.print(f"{mark} {reading.of}: {reading.figure} ({reading.line})")
