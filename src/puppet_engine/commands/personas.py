"""The `puppets persona` command: look at personas, take them from elsewhere, go back."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from puppet_engine.commands.event_desks import require_database
from puppet_engine.commands.options import Agents
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.clock import SystemClock
from puppet_engine.core.ids import random_id
from puppet_engine.core.models import AgentConfig
from puppet_engine.personas.differences import differences
from puppet_engine.personas.files import file_of, write_persona
from puppet_engine.personas.importers import import_persona
from puppet_engine.personas.reader import read_persona, read_personas
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.persona_versions import PersonaVersions, portable

persona = typer.Typer(help="Look at personas, import them, go back to one.", no_args_is_help=True)

T = TypeVar("T")

Database = Annotated[str | None, typer.Option(help="Where versions are kept, an SQLAlchemy URL.")]
AgentId = Annotated[str, typer.Argument(help="The id of a persona.")]


class Origin(StrEnum):
    """Whose files can be imported."""

    ELIZA = "eliza"
    ZEREPY = "zerepy"


@persona.command("check")
def check_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Persona files or folders of them.")
    ] = None,
) -> None:
    """Read personas and name every mistake as file:line:col; the exit code is 2 for one."""
    with errors_for_people():
        asked = paths or [read_settings().agents_dir]
        found = [it for path in asked for it in _personas(path)]
    for config in found:
        sys.stdout.write(f"{config.id}: {config.name}, in order\n")


@persona.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a persona file, for editors."""
    schema = AgentConfig.model_json_schema()
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    sys.stdout.write(json.dumps(named, indent=2, ensure_ascii=False) + "\n")


@persona.command("show")
def show_command(
    agent_id: AgentId,
    version: Annotated[int | None, typer.Option(min=1, help="The newest when left out.")] = None,
    as_list: Annotated[bool, typer.Option("--versions", help="List the versions.")] = False,
    database: Database = None,
) -> None:
    """Print a persona as the engine knows it, or list its versions."""

    async def show(versions: PersonaVersions) -> str:
        if not as_list:
            return _json((await versions.get(agent_id, version)).persona)
        await versions.get(agent_id)
        return "".join(
            f"{it.number}  {it.created_at:%Y-%m-%d %H:%M} UTC  {it.digest[:12]}  {it.reason}\n"
            for it in await versions.all(agent_id)
        )

    with errors_for_people():
        sys.stdout.write(_with_versions(database, show))


@persona.command("diff")
def diff_command(
    agent_id: AgentId,
    old: Annotated[int | None, typer.Argument(min=1, help="The newest when left out.")] = None,
    new: Annotated[int | None, typer.Argument(min=1, help="The file when left out.")] = None,
    agents: Agents = None,
    database: Database = None,
) -> None:
    """Print what differs between two versions, or between one and the persona's file."""

    async def compare(versions: PersonaVersions) -> list[str]:
        before = (await versions.get(agent_id, old)).persona
        if new is not None:
            return differences(before, (await versions.get(agent_id, new)).persona)
        folder = read_settings(agents_dir=agents).agents_dir
        return differences(before, portable(read_persona(file_of(folder, agent_id))))

    with errors_for_people():
        lines = _with_versions(database, compare)
    sys.stdout.write("".join(f"{line}\n" for line in lines) or "Nothing differs.\n")


@persona.command("rollback")
def rollback_command(
    agent_id: AgentId,
    version: Annotated[int, typer.Argument(min=1, help="The version to go back to.")],
    agents: Agents = None,
    database: Database = None,
) -> None:
    """Write a version back into the persona's file; an engine that runs takes it up."""

    async def restore(versions: PersonaVersions) -> Path:
        wanted = await versions.get(agent_id, version)
        file = file_of(read_settings(agents_dir=agents).agents_dir, agent_id)
        key = read_persona(file).solana_integration.private_key
        persona = dict(wanted.persona)
        if key is not None:
            # Versions hold no key: the file keeps the one it has.
            wallet = {
                **persona.get("solana_integration", {}),
                "private_key": key.get_secret_value(),
            }
            persona["solana_integration"] = wallet
        AgentConfig.model_validate(persona)
        write_persona(file, persona, replace=True)
        return file

    with errors_for_people():
        file = _with_versions(database, restore)
    sys.stdout.write(f"{file} is version {version} of {agent_id!r} again.\n")


@persona.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A character.json of elizaOS, or a ZerePy agent.")],
    origin: Annotated[
        Origin | None, typer.Option("--format", help="Whose file it is, if it does not show.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; in the folder of personas without it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    agents: Agents = None,
) -> None:
    """Make a persona file out of one of another engine."""
    with errors_for_people():
        found = import_persona(file, origin.value if origin else None)
        folder = read_settings(agents_dir=agents).agents_dir
        target = out or folder / f"{found.config.id}.json"
        write_persona(target, portable(found.config), replace=force)
    sys.stdout.write(f"{target}: {found.config.name}, from {found.origin}\n")
    if found.left_out:
        sys.stdout.write(f"Left out: {', '.join(found.left_out)}\n")


def _personas(path: Path) -> list[AgentConfig]:
    return read_personas(path) if path.is_dir() else [read_persona(path)]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _with_versions(database: str | None, work: Callable[[PersonaVersions], Awaitable[T]]) -> T:
    """Do something with the versions in a database that is there."""

    async def opened() -> T:
        url = read_settings(database_url=database).database_url
        require_database(url)
        storage = Storage(url, clock=SystemClock(), ids=random_id)
        await storage.open()
        try:
            return await work(PersonaVersions(storage))
        finally:
            await storage.close()

    return asyncio.run(opened())
