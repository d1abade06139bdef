"""The `puppets memory` command: how well agents remember, and what they know."""

import asyncio
import dataclasses
import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from puppet_engine.commands.databases import with_storage
from puppet_engine.commands.options import AsJson, Database
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.circumstances import folded
from puppet_engine.core.errors import ConfigurationError
from puppet_engine.measures.audit import Audit, audit, audit_circles, audit_friends
from puppet_engine.measures.recall import AT
from puppet_engine.storage.facts import facts
from puppet_engine.storage.quarantine import HeldMemory, discard, held, release as free

memory = typer.Typer(help="Look at what agents remember.", no_args_is_help=True)


@memory.callback()
def _memory() -> None:
    """Look at what agents remember."""


@memory.command("audit")
def audit_command(
    seed: Annotated[int, typer.Option(help="Which talks are told.")] = 7,
    embedder: Annotated[
        str | None, typer.Option(help="By what memories are found; `none`: their words alone.")
    ] = None,
    friends: Annotated[
        bool, typer.Option("--friends", help="Tell the second set of talks: of pairs of friends.")
    ] = False,
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="Tell the third set, by which nothing was ever chosen."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell a memory talks with known evidence, ask for it, and report how much was found again."""
    with errors_for_people():
        if friends and held_out:
            raise ConfigurationError("tell --friends or --held-out, one set at a time")
        measured = audit_friends if friends else audit_circles if held_out else audit
        found = asyncio.run(measured(read_settings(embedder=embedder), seed=seed))
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(found), indent=2) + "\n")
        return
    _show(found)


@memory.command("quarantine")
def quarantine_command(
    agent: Annotated[str | None, typer.Option(help="Only what this agent was told.")] = None,
    release: Annotated[
        str | None, typer.Option(help="Let what has this id become a memory.")
    ] = None,
    delete: Annotated[str | None, typer.Option(help="Delete what has this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most, newest first.")] = 100,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """List what agents were told and do not remember, and why; release or delete one of it."""
    with errors_for_people():
        if release is not None and delete is not None:
            raise ConfigurationError("release one thing or delete one, not both at once")
        if release is not None:
            memory_id = asyncio.run(with_storage(database, lambda one: free(one, release)))
            _say(
                {"released": release, "memory_id": memory_id},
                f"{release} is the memory {memory_id} now",
                as_json=as_json,
            )
            return
        if delete is not None:
            asyncio.run(with_storage(database, lambda one: discard(one, delete)))
            _say({"deleted": delete}, f"{delete} is deleted", as_json=as_json)
            return
        there = asyncio.run(
            with_storage(database, lambda one: held(one, agent_id=agent, limit=limit))
        )
    if as_json:
        listed = [one.model_dump(mode="json") for one in there]
        sys.stdout.write(json.dumps({"quarantine": listed}, indent=2) + "\n")
        return
    _show_quarantine(there)


def _say(told: dict[str, str], words: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(told, indent=2) if as_json else words) + "\n")


def _show_quarantine(there: list[HeldMemory]) -> None:
    table = Table("id", "agent", "when", "why", "what")
    for one in there:
        why = ", ".join(one.reasons)
        table.add_row(
            one.id, one.agent_id, f"{one.created_at:%Y-%m-%d %H:%M}", why, escape(one.content)
        )
    Console().print(table if there else "Nothing is in quarantine.")


@memory.command("facts")
def facts_command(
    agent: Annotated[str, typer.Argument(help="The id of the agent that knows.")],
    subject: Annotated[
        str | None, typer.Argument(help="Of whom; a handle or a name. Of all when left out.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(help="What was so at that moment; now when left out.")
    ] = None,
    known_at: Annotated[
        datetime | None, typer.Option(help="As far as was known then; now when left out.")
    ] = None,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Tell what an agent knows of people: what was so at a moment, as far as was known at one."""
    with errors_for_people():
        of = None if subject is None else folded(subject)
        moments = {"as_of": _in_utc(as_of), "known_at": _in_utc(known_at)}
        known = asyncio.run(with_storage(database, lambda one: facts(one, agent, of, **moments)))
    if as_json:
        listed = [dataclasses.asdict(one) for one in known]
        sys.stdout.write(json.dumps({"facts": listed}, indent=2, default=str) + "\n")
        return
    table = Table("who", "what", "is", "since", "until")
    for one in known:
        until = "" if one.valid_to is None else f"{one.valid_to:%Y-%m-%d}"
        table.add_row(
            *map(escape, (one.subject, one.attribute, one.value)),
            f"{one.valid_from:%Y-%m-%d}",
            until,
        )
    Console().print(table if known else f"{agent} knows nothing of that.")


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _show(found: Audit) -> None:
    table = Table("questions", "number", *(f"recall@{depth}" for depth in AT), "MRR", "p95 ms")
    for kind, one in found.kinds.items():
        table.add_row(
            kind,
            f"{one.questions}",
            *(f"{one.recall[depth]:.2f} ± {one.margins[depth]:.2f}" for depth in AT),
            f"{one.mrr:.2f}",
            f"{one.p95_ms:.1f}",
        )
    console = Console()
    console.print(table)
    by = "their words alone" if found.embedder == "none" else f"the embedder {found.embedder!r}"
    console.print(f"{found.memories} memories, found by {by}.", highlight=False)
    doubts = found.doubts
    console.print(
        f'Of {doubts.unanswerable} questions without an answer it rightly said "I do not know" '
        f"to {doubts.right:.0%}; of {doubts.answerable} with one, wrongly to {doubts.wrong:.0%}.",
        highlight=False,
    )
    each = "; ".join(f"{kind} {share:.0%}" for kind, share in doubts.kinds.items())
    console.print(f"Without an answer, by kind: {each}.", highlight=False)
