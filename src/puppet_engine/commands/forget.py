"""The `puppets forget` command: what agents know of a person is erased."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from puppet_engine.commands.event_desks import require_database
from puppet_engine.commands.options import AsJson, StoppedDatabase
from puppet_engine.commands.terminal import errors_for_people, read_settings
from puppet_engine.core.clock import SystemClock
from puppet_engine.core.ids import random_id
from puppet_engine.storage.gateway import Storage
from puppet_engine.storage.ownership import sole_owner
from puppet_engine.storage.traces import (
    Forgotten,
    OnProgress,
    Traces,
    forget_person,
    traces_of,
)


def forget_command(
    handle: Annotated[str, typer.Argument(metavar="@HANDLE", help="Whom.", show_default=False)],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="The file for the signed certificate.")
    ] = None,
    as_json: AsJson = False,
    database: StoppedDatabase = None,
) -> None:
    """Erase everything that agents know of a person, for good.

    Memories of what they said, answers to them, events, and whatever names them with an @ goes,
    with the vectors and words that it is found by. Run it again if it was stopped.
    """
    with errors_for_people():
        url = read_settings(database_url=database).database_url
        require_database(url)
        if dry_run or not yes:
            found = asyncio.run(_traces(url, handle))
            if dry_run:
                _print_traces(found, as_json=as_json)
                return
            _print_traces(found, as_json=False, to_stderr=True)
            typer.confirm("Erase this for good?", abort=True, err=True)
        done = asyncio.run(_forget(url, handle, is_silent=as_json))
    if certificate is not None:
        certificate.parent.mkdir(parents=True, exist_ok=True)
        certificate.write_text(f"{done.certificate}\n", encoding="utf-8")
    _print_done(done, certificate, as_json=as_json)


@contextlib.asynccontextmanager
async def _opened(database_url: str) -> AsyncGenerator[Storage]:
    storage = Storage(database_url, clock=SystemClock(), ids=random_id)
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()


async def _traces(database_url: str, handle: str) -> Traces:
    async with _opened(database_url) as storage:
        return await traces_of(storage, handle)


async def _forget(database_url: str, handle: str, *, is_silent: bool) -> Forgotten:
    async with _opened(database_url) as storage:
        since, lost = SystemClock().now(), storage.forbid_writing
        # An engine that lives on the database remembers what it is doing, beside the rows.
        async with sole_owner(database_url, since=since, on_loss=lost):
            with _bar(is_silent=is_silent) as bar:
                return await forget_person(storage, handle, on_progress=_shown(bar))


def _bar(*, is_silent: bool) -> Progress:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=is_silent)


def _shown(bar: Progress) -> OnProgress:
    task = bar.add_task("forgetting", total=None)
    return lambda step, rows: bar.update(task, description=f"{step}: {rows:,} rows")


def _print_traces(found: Traces, *, as_json: bool, to_stderr: bool = False) -> None:
    if as_json:
        facts = {"handle": found.handle, "rows": found.rows, "personas": found.personas}
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    console = Console(stderr=to_stderr, highlight=False, markup=False)
    console.print(f"@{found.handle} is in:")
    for table, rows in found.rows.items():
        console.print(f"  {table}: {rows:,} rows")
    _print_personas(console, found)


def _print_done(done: Forgotten, certificate: Path | None, *, as_json: bool) -> None:
    found = done.traces
    if as_json:
        facts = {
            "handle": found.handle,
            "rows": found.rows,
            "personas": found.personas,
            "certificate": json.loads(done.certificate),
        }
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    console = Console(highlight=False, markup=False)
    rows = sum(found.rows.values())
    kept = f"; the certificate is {certificate}" if certificate else ""
    console.print(f"@{found.handle} is forgotten: {rows:,} rows are gone{kept}.")
    _print_personas(console, found)


def _print_personas(console: Console, found: Traces) -> None:
    if found.personas:
        console.print(
            f"Named in the persona of {', '.join(found.personas)}: change the files, too."
        )
