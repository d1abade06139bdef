"""`timber migrate`: from changed models to changed databases, without losing a row unasked."""

import contextlib
from collections.abc import Generator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from timber.commands.migrate_progress import progress_bar
from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
)
from timber.common.clock import SystemClock
from timber.common.errors import FeatureUnavailableError

if TYPE_CHECKING:
    from timber.common.migrations.migrator import Migrator, Plan, Status

migrate_app: Final = typer.Typer(
    name="migrate",
    help="Change databases as their models change: plan, read, apply; take back if need be.",
    no_args_is_help=True,
)

Folder = Annotated[
    Path, typer.Option("--migrations", help="The folder of steps, one file each, to commit.")
]
AllowDataLoss = Annotated[
    bool,
    typer.Option("--allow-data-loss", help="Go on although values are destroyed for good."),
]

_FOLDER: Final = Path("migrations")


@migrate_app.command()
def plan(
    directories: Directories = None,
    *,
    database: Database = None,
    migrations: Folder = _FOLDER,
    message: Annotated[
        str, typer.Option("--message", "-m", help="What the step is for, in a few words.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the step, write no file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the step from the database to the models, and say what it does, locks and destroys."""
    with _migrator(directories, database, migrations) as migrator:
        planned = migrator.plan(message)
        file = None if dry_run or planned.is_empty else migrator.write(planned)
    if as_json:
        print_json(_plan_facts(planned, file))
    else:
        _show_plan(planned, file)


@migrate_app.command("apply")
def apply_(
    directories: Directories = None,
    *,
    database: Database = None,
    migrations: Folder = _FOLDER,
    allow_data_loss: AllowDataLoss = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help="Only note the steps: the database equals the models already."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Apply every step that the database has not seen, each in one transaction."""
    with _migrator(directories, database, migrations) as migrator, progress_bar(as_json) as show:
        if adopt:
            done = migrator.adopt()
        else:
            done = migrator.apply(allow_data_loss=allow_data_loss, on_progress=show)
    names = [step.name for step in done]
    if as_json:
        print_json({"adopted" if adopt else "applied": names})
    else:
        verb = "adopted" if adopt else "applied"
        typer.echo("\n".join(f"{verb} {name}" for name in names) or "nothing to apply")


@migrate_app.command()
def status(
    directories: Directories = None,
    *,
    database: Database = None,
    migrations: Folder = _FOLDER,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit with 1 if a step is pending or something drifted."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which steps are applied and pending, and how database and models differ."""
    with _migrator(directories, database, migrations) as migrator:
        found = migrator.status()
    if as_json:
        print_json(_status_facts(found))
    else:
        _show_status(found)
    if check and not found.is_current:
        raise typer.Exit(code=1)


@migrate_app.command()
def rollback(
    directories: Directories = None,
    *,
    database: Database = None,
    migrations: Folder = _FOLDER,
    allow_data_loss: AllowDataLoss = False,
    as_json: AsJson = False,
) -> None:
    """Take back the step that was applied last."""
    with _migrator(directories, database, migrations) as migrator, progress_bar(as_json) as show:
        step = migrator.roll_back(allow_data_loss=allow_data_loss, on_progress=show)
    if as_json:
        print_json({"rolled_back": step.name})
    else:
        typer.echo(f"rolled back {step.name}")


# ------------------------------------------------------------------ what they share


@contextlib.contextmanager
def _migrator(
    directories: Sequence[Path] | None, database: str | None, folder: Path
) -> "Generator[Migrator]":
    """Give the steps of a folder over models and a database; say what is wrong, if anything is."""
    with errors_for_people():
        if find_spec("alembic") is None:
            raise FeatureUnavailableError(
                "timber migrate", cure="pip install 'puppet-engine[migrations]'"
            )
        module = import_module("timber.common.migrations.migrator")
        with opened(directories, database) as timber:
            yield module.Migrator(
                engine=timber.database.engine,
                metadata=timber.base.metadata,
                folder=folder,
                clock=SystemClock(),
                around=timber.audit.set_aside,
                keys=timber.keys.opened_keyring,
            )


def _plan_facts(planned: "Plan", file: Path | None) -> dict[str, Any]:
    return {
        "step": None if planned.is_empty else planned.name,
        "file": None if file is None else str(file),
        "changes": planned.changes,
        "losses": [vars(loss) for loss in planned.losses],
        "warnings": [vars(warning) for warning in planned.warnings],
        "sql": planned.sql,
    }


def _show_plan(planned: "Plan", file: Path | None) -> None:
    if planned.is_empty:
        typer.echo("the database and the models agree: nothing to do")
        return
    typer.echo(planned.name)
    _show("It will", planned.changes)
    _show("It destroys, in this database", planned.losses)
    _show("Good to know", planned.warnings)
    _show("In SQL", [f"{statement};" for statement in planned.sql], bullet="")
    if file is not None:
        typer.echo(f"\nwritten to {file}; read it, commit it, then run `timber migrate apply`")


def _status_facts(found: "Status") -> dict[str, Any]:
    return {
        "applied": [vars(step) for step in found.applied],
        "pending": [step.name for step in found.pending],
        "drift": found.drift,
        "current": found.is_current,
    }


def _show_status(found: "Status") -> None:
    applied = [
        f"{one.revision} (at {one.applied_at:%Y-%m-%d %H:%M:%S} UTC)" for one in found.applied
    ]
    _show("Applied", applied)
    _show("Pending; run `timber migrate apply`", [step.name for step in found.pending])
    _show("To become what the models say, run `timber migrate plan`; it will", found.drift)
    if found.is_current:
        typer.echo("the database and the models agree")


def _show(title: str, lines: Sequence[object], *, bullet: str = "- ") -> None:
    if lines:
        typer.echo(f"{title}:")
    for line in lines:
        typer.echo("\n".join(f"  {part}" for part in f"{bullet}{line}".splitlines()))
