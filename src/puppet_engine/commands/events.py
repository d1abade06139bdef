"""The `puppets events` command: what failed for good, and how to try it again."""

import asyncio
import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from puppet_engine.commands.event_desks import open_desk
from puppet_engine.commands.options import Api, AsJson, StoppedDatabase
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.errors import ConfigurationError

events = typer.Typer(help="Look at events, and replay those that failed.", no_args_is_help=True)


@events.command("dead-letters")
def dead_letters_command(
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="How many at the most, newest first.")
    ] = 100,
    before: Annotated[
        int | None, typer.Option(min=0, help="Only those before that place, for the next page.")
    ] = None,
    as_json: AsJson = False,
    database: StoppedDatabase = None,
    api: Api = None,
) -> None:
    """List the events that failed too often, with the reason of each."""
    with errors_for_people():
        letters = asyncio.run(_list(database, api, before=before, limit=limit))
    if as_json:
        sys.stdout.write(json.dumps({"dead_letters": letters}, indent=2) + "\n")
        return
    _show(letters)


@events.command("replay")
def replay_command(
    event_id: Annotated[str | None, typer.Argument(help="The id of a dead letter.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    as_json: AsJson = False,
    database: StoppedDatabase = None,
    api: Api = None,
) -> None:
    """Let what dead letters are about happen again, each as a new event."""
    with errors_for_people():
        if (event_id is None) is not all_of_them:
            raise ConfigurationError("name one dead letter by its id, or give --all")
        replayed = asyncio.run(_replay(database, api, event_id))
    if as_json:
        sys.stdout.write(json.dumps({"replayed": replayed}, indent=2) + "\n")
        return
    for letter, event in replayed.items():
        sys.stdout.write(f"{letter} comes again as {event}\n")
    if not replayed:
        sys.stdout.write("There are no dead letters.\n")


async def _list(
    database: str | None, api: str | None, *, before: int | None, limit: int
) -> list[dict[str, Any]]:
    settings = read_settings(database_url=database)
    async with open_desk(settings.database_url, api) as desk:
        return await desk.dead_letters(before=before, limit=limit)


async def _replay(database: str | None, api: str | None, event_id: str | None) -> dict[str, str]:
    settings = read_settings(database_url=database)
    async with open_desk(settings.database_url, api) as desk:
        if event_id is not None:
            return {event_id: await desk.replay(event_id)}
        replayed: dict[str, str] = {}
        # What fails again is a dead letter again, later: each of those there now comes once.
        before = None
        while letters := await desk.dead_letters(before=before, limit=100):
            before = letters[-1]["settled_as"]
            for letter in letters:
                replayed[letter["event"]["id"]] = await desk.replay(letter["event"]["id"])
        return replayed


def _show(letters: list[dict[str, Any]]) -> None:
    # Not a table and not wrapped: an id is there to be copied.
    console = Console(soft_wrap=True, markup=False, highlight=False)
    for letter in letters:
        event = letter["event"]
        whose = f" of {event['agent_id']}" if event["agent_id"] else ""
        at = letter["settled_at"][:19].replace("T", " ")
        console.print(f"{event['id']}  {event['type']}{whose}, given up {at} UTC", style="bold")
        console.print(f"  {letter['error']}")
    if letters:
        console.print("\nReplay one with: puppets events replay ID")
    else:
        console.print("There are no dead letters.")
