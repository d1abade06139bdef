"""`timber retention`: delete, or make anonymous, what is older than it may be; and hold tables."""

import contextlib
from collections.abc import Generator
from dataclasses import asdict
from typing import Annotated, Final

import typer

from timber.commands.bars import counting_bars
from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
)
from timber.common.audit.actors import acting
from timber.common.errors import ConfigurationError
from timber.common.retention.service import Outcome, RetentionService, RuleStatus

retention_app: Final = typer.Typer(
    name="retention",
    help="How long rows are kept: work through the rules, look at them, hold tables.",
    no_args_is_help=True,
)
_ACTOR: Final = "timber retention"
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", help="A table; may be repeated. All with a rule when left out."),
]
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="The name of a table.")]


@retention_app.command()
def run(
    directories: Directories = None,
    *,
    table: Tables = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Delete, or make anonymous, the rows that are older than their model lets them be.

    It can be stopped, or killed, at any moment; the next run goes on.
    """
    with (
        _retention(directories, database) as retention,
        counting_bars(quiet=as_json) as show,
        acting(_ACTOR),
    ):
        found = retention.run(tables=table, dry_run=dry_run, show=show)
    if as_json:
        print_json({"dry_run": dry_run, "tables": [asdict(one) for one in found]})
    else:
        typer.echo("\n".join(_done(one, dry_run=dry_run) for one in found))


@retention_app.command()
def status(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Say of each rule how many rows are due, and when it was last worked through."""
    with _retention(directories, database) as retention:
        found, holds = retention.status(), retention.holds()
    if as_json:
        print_json({"rules": [asdict(one) for one in found], "holds": dict(holds)})
    else:
        typer.echo("\n".join(map(_told, found)))


@retention_app.command()
def hold(
    table: TableName,
    directories: Directories = None,
    *,
    reason: Annotated[str, typer.Option(help="Why, such as the number of a case; is logged.")],
    database: Database = None,
) -> None:
    """Keep all rows of a table until it is released."""
    with _retention(directories, database) as retention, acting(_ACTOR):
        retention.hold(table, reason=reason)
    typer.echo(f"{table} is held")


@retention_app.command()
def release(
    table: TableName, directories: Directories = None, *, database: Database = None
) -> None:
    """End the hold of a table."""
    with _retention(directories, database) as retention, acting(_ACTOR):
        found = retention.release(table)
    typer.echo(f"{table} is released" if found else f"{table} was not held")


@contextlib.contextmanager
def _retention(directories: Directories, database: str | None) -> Generator[RetentionService]:
    with errors_for_people(), opened(directories, database) as timber:
        if not timber.audit.is_open:
            raise ConfigurationError(
                "no model has a retention: say `retention: {enabled: true, …}` in a model file"
            )
        yield timber.retention


def _done(one: Outcome, *, dry_run: bool) -> str:
    if one.hold is not None:
        return f"{one.table}: held ({one.hold}), nothing was touched"
    verb = "deleted" if one.outcome == "delete" else "anonymised"
    said = f"{one.table}: {one.rows:,} rows {'would be ' if dry_run else ''}{verb}"
    if one.held:
        said += f", {one.held:,} are under a legal hold"
    if one.needed:
        said += f", {one.needed:,} are needed by other rows"
    return said


def _told(one: RuleStatus) -> str:
    age = f"{one.hours // 24} days" if one.hours % 24 == 0 else f"{one.hours} hours"
    lines = [
        f"{one.table}: {one.outcome} {age} after {one.since}; {one.due:,} rows are due",
        f"  last worked through: {one.last_run or 'never'}",
    ]
    if one.held or one.needed:
        lines.append(f"  kept: {one.held:,} under a legal hold, {one.needed:,} needed by others")
    if one.hold:
        lines.append(f"  the table is held: {one.hold}")
    return "\n".join(lines)
