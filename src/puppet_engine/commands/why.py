"""The `puppets why` command: what led to a post."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

from puppet_engine.commands.event_desks import open_desk
from puppet_engine.commands.options import Api, AsJson, Database
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.decisions import StoredDecision

INDENT = "  "


def why_command(
    of: Annotated[str, typer.Argument(help="The id of a post, of an intent or of an event.")],
    database: Database = None,
    api: Api = None,
    as_json: AsJson = False,
) -> None:
    """Tell why an agent said something, or nothing: mood, people, memories, prompt and checks."""
    with errors_for_people():
        decision = asyncio.run(_decision(of, database, api))
    if as_json:
        sys.stdout.write(decision.model_dump_json(indent=2) + "\n")
        return
    console = Console(soft_wrap=True, markup=False, highlight=False)
    for line in told(decision):
        console.print(line)


async def _decision(of: str, database: str | None, api: str | None) -> StoredDecision:
    settings = read_settings(database_url=database)
    async with open_desk(settings.database_url, api) as desk:
        return await desk.why(of)


def told(decision: StoredDecision) -> Iterator[str]:
    """Yield a decision, line by line, for people."""
    did = " and ".join(decision.acts)
    yield f"{decision.agent_id}: {did}, {decision.at:%d %B %Y, %H:%M} UTC ({decision.occasion})"
    yield f"Why: {decision.why}"
    if decision.topic:
        yield f"Topic: {decision.topic}"
    mood = decision.mood
    yield f"Mood: {decision.mood_name} ({mood.valence:+.2f} glad, {mood.arousal:+.2f} awake)"
    if (known := decision.relationship) is not None:
        yield (
            f"Towards @{known.handle}: familiarity {known.familiarity:.2f}, "
            f"affinity {known.affinity:+.2f}, trust {known.trust:+.2f}"
        )
        yield from (f"{INDENT}{each.at:%d %B, %H:%M}: {each.what}" for each in known.reasons)
    if decision.chances:
        chances = (f"{act} {likely:.0%}" for act, likely in decision.chances.items())
        yield f"Chances: {', '.join(chances)}"
    if decision.memories:
        yield "Memories:"
        yield from (f"{INDENT}{memory.content}  {memory.id}" for memory in decision.memories)
    yield from _asked(decision)


def _asked(decision: StoredDecision) -> Iterator[str]:
    if not decision.prompt:
        return
    yield "Drafts:"
    for draft in decision.drafts:
        found = "; ".join(draft["findings"]) or "nothing wrong with it"
        yield f"{INDENT}{draft['text'] or '(left out: not safe)'}  [{found}]"
    used = f"{decision.input_tokens} tokens in, {decision.output_tokens} out"
    spent = f"{used}, {decision.cost} micro-dollars" if decision.input_tokens else "not counted"
    yield f"Model: {decision.model or 'that of the settings'} ({spent})"
    yield "Prompt:"
    yield from (f"{INDENT}{line}" for line in decision.prompt.splitlines())
