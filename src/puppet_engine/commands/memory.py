"""The `puppets memory` command: how well agents remember."""

import asyncio
import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.measures.audit import Audit, audit
from puppet_engine.measures.recall import AT

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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Tell a memory talks with known evidence, ask for it, and report how much was found again."""
    with errors_for_people():
        found = asyncio.run(audit(read_settings(embedder=embedder), seed=seed))
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(found), indent=2) + "\n")
        return
    _show(found)


def _show(found: Audit) -> None:
    table = Table("questions", "number", *(f"recall@{depth}" for depth in AT), "MRR", "p95 ms")
    for kind, one in found.kinds.items():
        table.add_row(
            kind,
            f"{one.questions}",
            *(f"{one.recall[depth]:.2f}" for depth in AT),
            f"{one.mrr:.2f}",
            f"{one.p95_ms:.1f}",
        )
    console = Console()
    console.print(table)
    by = "their words alone" if found.embedder == "none" else f"the embedder {found.embedder!r}"
    console.print(f"{found.memories} memories, found by {by}.", highlight=False)
