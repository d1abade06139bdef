"""The commands `puppets mood` and `puppets people`: what an agent feels, and for whom."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Annotated

import httpx2
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from puppet_engine.agents.inner_desk import InnerDesk
from puppet_engine.commands.event_desks import PATIENCE_SECONDS, ask_engine, open_stopped
from puppet_engine.commands.options import Api, AsJson, Database
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.inner_views import MoodView
from puppet_engine.core.relationships import Relationship
from puppet_engine.storage.mind_pages import persona_of

AgentId = Annotated[str, typer.Argument(help="The id of the agent.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="How many at the most.")]


def mood_command(
    agent: AgentId,
    limit: Limit = 20,
    database: Database = None,
    api: Api = None,
    as_json: AsJson = False,
) -> None:
    """Tell what an agent feels, and what has moved it, newest first."""
    with errors_for_people():
        view = asyncio.run(_mood(agent, limit, database, api))
    if as_json:
        sys.stdout.write(view.model_dump_json(indent=2) + "\n")
        return
    console = Console()
    mood = view.mood
    console.print(
        f"{agent} is {view.name} ({mood.valence:+.2f} glad, {mood.arousal:+.2f} awake).",
        highlight=False,
        markup=False,
    )
    table = Table("when", "before", "after", "why")
    for one in view.moments:
        felt = (f"{it.valence:+.2f} {it.arousal:+.2f}" for it in (one.before, one.after))
        table.add_row(f"{one.at:%Y-%m-%d %H:%M}", *felt, escape(one.reason))
    console.print(table if view.moments else "Nothing has moved it yet.")


def people_command(
    agent: AgentId,
    limit: Limit = 100,
    after: Annotated[str, typer.Option(help="Only those after this handle.")] = "",
    database: Database = None,
    api: Api = None,
    as_json: AsJson = False,
) -> None:
    """Tell how an agent stands with others, by their handles, and why."""
    with errors_for_people():
        known = asyncio.run(_people(agent, after, limit, database=database, api=api))
    if as_json:
        listed = [one.model_dump(mode="json") for one in known]
        sys.stdout.write(json.dumps({"relationships": listed}, indent=2) + "\n")
        return
    table = Table("who", "familiarity", "affinity", "trust", "last reason")
    for one in known:
        reason = one.reasons[0].what if one.reasons else "as its persona says"
        numbers = (f"{one.familiarity:.2f}", f"{one.affinity:+.2f}", f"{one.trust:+.2f}")
        table.add_row(escape(f"@{one.handle}"), *numbers, escape(reason))
    Console().print(table if known else f"{agent} knows nobody.")


async def _mood(agent: str, limit: int, database: str | None, api: str | None) -> MoodView:
    if api is not None:
        async with httpx2.AsyncClient(base_url=api, timeout=PATIENCE_SECONDS) as client:
            asked = {"limit": limit}
            data = await ask_engine(client, "GET", f"/agents/{agent}/mood", params=asked)
        return MoodView.model_validate(data)
    settings = read_settings(database_url=database)
    async with open_stopped(settings.database_url) as storage:
        desk = InnerDesk(storage, clock=storage.clock)
        return await desk.mood(await persona_of(storage, agent), limit=limit)


async def _people(
    agent: str, after: str, limit: int, *, database: str | None, api: str | None
) -> Sequence[Relationship]:
    if api is not None:
        async with httpx2.AsyncClient(base_url=api, timeout=PATIENCE_SECONDS) as client:
            path, asked = f"/agents/{agent}/relationships", {"limit": limit, "after": after}
            data = await ask_engine(client, "GET", path, params=asked)
        return [Relationship.model_validate(one) for one in data["relationships"]]
    settings = read_settings(database_url=database)
    async with open_stopped(settings.database_url) as storage:
        desk = InnerDesk(storage, clock=storage.clock)
        return await desk.relationships(await persona_of(storage, agent), after=after, limit=limit)
