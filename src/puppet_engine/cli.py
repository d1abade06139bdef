"""The `puppets` command."""

import asyncio
import dataclasses
import functools
import json
import logging
import sys
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from puppet_engine.commands.budget import budget_command
from puppet_engine.commands.events import events
from puppet_engine.commands.forget import forget_command
from puppet_engine.commands.measure import measure_command
from puppet_engine.commands.memory import memory
from puppet_engine.commands.minds import mood_command, people_command
from puppet_engine.commands.options import Agents, AsJson, Seed
from puppet_engine.commands.personas import persona
from puppet_engine.commands.soak import soak_command
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.commands.why import why_command
from puppet_engine.core.settings import Settings
from puppet_engine.rehearse import Report, rehearse
from puppet_engine.run import run, work
from puppet_engine.simulation.command import simulate_command

cli = typer.Typer(
    help="Autonomous persona agents, alive on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

cli.add_typer(events, name="events")
cli.add_typer(memory, name="memory")
cli.add_typer(persona, name="persona")
cli.command("forget")(forget_command)
cli.command("why")(why_command)
cli.command("budget")(budget_command)
cli.command("mood")(mood_command)
cli.command("people")(people_command)

WATCHABLE_SPEED: Final = 240
"""So fast that agents who speak every few hours are worth watching."""


@cli.command("run")
def run_command(
    agents: Agents = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=604_800,
            help="Virtual seconds that pass in a real one.",
            show_default=f"{WATCHABLE_SPEED}",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where the page is; 0: any free port.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="Where everything is kept, an SQLAlchemy URL.")
    ] = None,
) -> None:
    """Let a cast live in the rehearsal world until Ctrl-C; the next time they go on from there."""
    with errors_for_people():
        settings = read_settings(agents_dir=agents, speed=speed, port=port, database_url=database)
        if "speed" not in settings.model_fields_set and settings.engine == "embedded":
            settings.speed = WATCHABLE_SPEED
        _set_up_logs(settings)
        asyncio.run(run(settings, console=Console()))


@cli.command("worker")
def worker_command(agents: Agents = None) -> None:
    """Take turns of agents together with other workers, by the settings in the environment."""
    with errors_for_people():
        settings = read_settings(agents_dir=agents)
        _set_up_logs(settings)
        asyncio.run(work(settings, console=Console()))


@cli.command("rehearse")
def rehearse_command(
    hours: Annotated[
        float, typer.Option(min=0.01, max=24 * 365, help="Virtual hours to live.")
    ] = 24,
    seed: Seed = 7,
    as_json: AsJson = False,
    agents: Agents = None,
) -> None:
    """Live some virtual hours as fast as this machine can, in memory, and report."""
    with errors_for_people():
        settings = read_settings(agents_dir=agents)
        _set_up_logs(settings)
        report = _rehearse_with_progress(settings, hours=hours, seed=seed)
    if as_json:
        facts = dataclasses.asdict(report)
        del facts["utterances"]
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    else:
        _show(report)


def _rehearse_with_progress(settings: Settings, *, hours: float, seed: int) -> Report:
    columns = (TextColumn("living {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{hours:g} hours", total=1.0)
        return asyncio.run(
            rehearse(
                settings,
                hours=hours,
                seed=seed,
                progress=lambda share: bar.update(task, completed=share),
            )
        )


def _show(report: Report) -> None:
    console = Console()
    for said in report.utterances:
        answer = "  ↳ " if said["in_reply_to"] else ""
        console.print(f"[dim]{said['at'][11:16]}[/] {answer}[bold]@{said['handle']}[/]", end=" ")
        console.print(said["text"], markup=False, highlight=False)
    console.print(
        f"\n{report.posts} posts, {report.replies} replies and {report.memories} memories "
        f"in {report.virtual_hours:g} virtual hours, {report.wall_seconds:g} s on this machine; "
        f"{report.errors} errors.\nDigest: {report.digest}"
    )


def _set_up_logs(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    for chatty in ("httpx2", "httpcore2", "openai", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


cli.command("measure")(measure_command)
cli.command("soak")(soak_command)


@cli.command("simulate")
@functools.wraps(simulate_command)
def _simulate(**chosen: Any) -> None:
    with errors_for_people():
        simulate_command(**chosen)
