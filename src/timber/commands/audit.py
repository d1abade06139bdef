"""`timber audit`: who did what to audited rows, whether the log is whole, and its signed end."""

import contextlib
import json
from collections.abc import Generator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from timber.commands.bars import counting_bars
from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
    write,
)
from timber.common.audit.history import Recorded
from timber.common.audit.service import AuditService
from timber.common.audit.verification import Problem, Verification
from timber.common.errors import ConfigurationError

audit_app: Final = typer.Typer(
    name="audit",
    help="Who did what to audited rows, and whether the log of it is as it was written.",
    no_args_is_help=True,
)


@audit_app.command()
def log(  # noqa: PLR0913 - one filter each
    directories: Directories = None,
    *,
    table: Annotated[str | None, typer.Option(help="Of this table only.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Of the row with this key; with several columns, as JSON.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Of this actor only.")] = None,
    operation: Annotated[
        str | None, typer.Option(help="insert, update, delete, truncate, read, retain, hold …")
    ] = None,
    since: Annotated[datetime | None, typer.Option(help="Not before this moment, in UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Say what was recorded, the newest first. It holds no values, but commitments to them."""
    with _audit(directories, database) as audit:
        found = list(
            audit.log(
                table=table,
                key=None if key is None else _key(key),
                actor=actor,
                operation=operation,
                since=None if since is None else since.astimezone(),
                limit=limit,
            )
        )
    if as_json:
        print_json({"entries": [asdict(one) for one in found]})
    else:
        typer.echo("\n".join(map(_told, found)) or "nothing was recorded")


@audit_app.command()
def verify(
    directories: Directories = None,
    *,
    anchor: Annotated[
        Path | None,
        typer.Option(help="An anchor made before: tells, too, whether the end was cut off."),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Write the end of an intact log to that file.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Go through the whole log; the exit code is 1 if it is not as it was written."""
    with _audit(directories, database) as audit:
        if renew and anchor is None:
            raise ConfigurationError("--renew: say by --anchor which file is to be written")
        known = anchor if anchor is not None and (not renew or anchor.exists()) else None
        with counting_bars(quiet=as_json) as show:
            found = audit.verify(
                anchor=known, show=lambda done, of: show("entries verified", done, of)
            )
        if renew and found.is_intact:
            write(audit.anchor_of(found), anchor)
    if as_json:
        print_json({"intact": found.is_intact, **asdict(found)})
    else:
        typer.echo(_summary(found, anchored=known is not None))
    if not found.is_intact:
        raise typer.Exit(code=1)


@audit_app.command()
def anchor(
    directories: Directories = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; else it is printed.")
    ] = None,
    database: Database = None,
) -> None:
    """Print the signed end of the log, to be kept apart from the database.

    Whoever cuts off entries after that is found by `timber audit verify --anchor`.
    """
    with _audit(directories, database) as audit:
        written = audit.anchor()
    with errors_for_people():
        write(written, output)


@contextlib.contextmanager
def _audit(directories: Directories, database: str | None) -> Generator[AuditService]:
    with errors_for_people(), opened(directories, database) as timber:
        if not timber.audit.is_open:
            raise ConfigurationError(
                "no model is audited: say `audit: {enabled: true}` in a model file"
            )
        yield timber.audit


def _key(written: str) -> list[Any]:
    if not written.startswith("["):
        return [int(written) if written.isdecimal() else written]
    try:
        return list(json.loads(written))
    except ValueError as error:
        raise ConfigurationError(f"--key is no JSON array: {error}") from error


def _told(one: Recorded) -> str:
    key = "" if one.key is None else f" {', '.join(map(str, one.key))}"
    parts = [
        one.moment.isoformat(timespec="seconds"),
        one.actor or "(erased)",
        one.operation,
        f"{one.table}{key}",
        ",".join(one.columns),
        f"[{one.reason}]" if one.reason else "",
        "past Timber" if one.is_outside else "",
        json.dumps(dict(one.facts)) if one.facts else "",
    ]
    return "  ".join(part for part in parts if part)


def _summary(found: Verification, *, anchored: bool) -> str:
    said = (
        f"{found.entries:,} entries in {len(found.heads)} chains, "
        f"{found.outside:,} of them written past Timber"
    )
    if not found.is_intact:
        return "\n".join(("the log is NOT as it was written:", *map(_problem, found.problems)))
    if anchored:
        return f"intact since the anchor was made: {said}"
    return f"intact: {said}; whether the end was cut off, only --anchor can tell"


def _problem(one: Problem) -> str:
    where = "" if one.lane is None else f"chain {one.lane}, entry {one.position}: "
    return f"  {where}{one.what}"
