"""`timber keys`: making keys, how they are, renewing and retiring them."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
    settings_for_database,
)
from timber.common.errors import ConfigurationError
from timber.common.keys.master_rotation import MasterRotation
from timber.common.keys.reindexing import IndexRenewal
from timber.common.keys.resealing import DataRenewal
from timber.common.keys.service import make_keys
from timber.common.keys.status import KeyStatus
from timber.common.runtime import Timber

keys_app: Final = typer.Typer(
    name="keys",
    help="The keys of what is encrypted: making them, how they are, renewing and retiring them.",
    no_args_is_help=True,
)

Show = Callable[[str, int, int], None]
"""Of something, how much is done, and of how much."""
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="With --data: only the rows of that model; may be repeated."),
]
Throttle = Annotated[
    float | None,
    typer.Option(
        "--rows-per-second", min=0.001, help="Go no faster; as fast as it goes when left out."
    ),
]


@keys_app.command()
def init(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Make the keystore and its master key where the settings say; in production, too.

    A keystore that is there already is opened, and left as it is.
    """
    with errors_for_people():
        made = make_keys(settings_for_database(directories, database))
    if as_json:
        print_json(asdict(made))
        return
    typer.echo(f"{'made' if made.is_new else 'there already'}: the keystore at {made.keystore}")
    typer.echo(f"its master key is in {made.master_key}")
    typer.echo("back up both, apart from the database, and apart from each other")


@keys_app.command()
def status(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Say where keys are, how many and how old, and what is overdue."""
    with _timber(directories, database) as timber:
        found = timber.key_renewal.status()
    if as_json:
        print_json(asdict(found))
    else:
        _show_status(found)


@keys_app.command()
def rotate(  # noqa: PLR0913 - one option each, all by keyword
    directories: Directories = None,
    *,
    data: Annotated[
        bool, typer.Option("--data", help="Renew data keys, and seal rows anew with them.")
    ] = False,
    model: Models = None,
    indexes: Annotated[
        bool, typer.Option("--indexes", help="Renew the root of the blind indexes.")
    ] = False,
    rows_per_second: Throttle = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Renew the master key; or data keys, or the root of the indexes.

    Everybody works on meanwhile. Run it again if it was stopped: it goes on where it was.
    """
    with _timber(directories, database) as timber, _bar(as_json) as show:
        if model and not data:
            raise ConfigurationError("--model belongs to --data")
        if data and indexes:
            raise ConfigurationError("give --data or --indexes; one after the other does both")
        done: DataRenewal | IndexRenewal | MasterRotation
        if data:
            tables = [timber.models.get(one).__table__.name for one in model or ()]
            done = timber.key_renewal.renew_data(
                tables, rows_per_second=rows_per_second, show=show
            )
        elif indexes:
            done = timber.key_renewal.renew_indexes(rows_per_second=rows_per_second, show=show)
        else:
            done = timber.key_renewal.rotate_master(lambda made, of: show("keys", made, of))
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo("\n".join(_told(done)))
    if not isinstance(done, MasterRotation) and done.unreadable.count:
        raise typer.Exit(code=1)


@keys_app.command()
def retire(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Destroy old versions of data keys that nothing in the database needs any more.

    The whole database is looked through before. Backups from before the renewal cannot be read
    afterwards.
    """
    with _timber(directories, database) as timber:
        done = timber.key_renewal.retire()
        _forget_cached(timber)
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(f"destroyed {done.destroyed:,} old versions of data keys")
        if done.kept:
            listed = ", ".join(f"{n:,} in {name}" for name, n in done.values_by_table.items())
            typer.echo(
                f"kept {done.kept:,}: values are sealed with them ({listed}); "
                "`timber keys rotate --data` seals them anew",
                err=True,
            )
    if done.kept:
        raise typer.Exit(code=1)


# ---------------------------------------------------------------------- what they share


@contextlib.contextmanager
def _timber(directories: Directories, database: Database) -> Generator[Timber]:
    with errors_for_people(), opened(directories, database) as timber:
        yield timber


def _forget_cached(timber: Timber) -> None:
    """Have what is cached read again, which may be sealed with a key that is gone."""
    if timber.cache.status().redis is not None:
        timber.cache.clear()


@contextlib.contextmanager
def _bar(quiet: bool) -> Generator[Show]:
    """Give what shows how far something is; it shows nothing where nobody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _name, _done, _of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(name: str, done: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=of)
            bar.update(tasks[name], completed=done, total=of)

        yield show


def _told(done: DataRenewal | IndexRenewal | MasterRotation) -> Iterator[str]:
    if done.finished_another:
        yield "what was broken off before is at its end now"
    match done:
        case MasterRotation():
            yield f"{done.rewrapped:,} keys are under the master key of version {done.version}"
            for version in done.to_take_away:
                yield f"now take version {version} away wherever you keep it, and destroy it"
            return
        case DataRenewal():
            yield f"renewed {done.keys:,} keys, and sealed {done.rows:,} rows anew"
            yield "`timber keys retire` destroys the old ones; backups of before need them"
        case IndexRenewal():
            yield f"gave {done.rows:,} rows an index of version {done.version}"
    if done.unreadable.erased:
        yield f"left {done.unreadable.erased:,} values of erased subjects as they are"
    if done.unreadable.count:
        yield f"{done.unreadable.count:,} values cannot be opened, and were left as they are:"
        yield from (f"  {one}" for one in done.unreadable.named)


def _show_status(found: KeyStatus) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    versions = ", ".join(map(str, found.index_versions)) or "none yet"
    for name, value in (
        ("keystore", f"{found.keystore} ({found.keystore_id})"),
        ("master key", f"{found.master_key}"),
        ("", f"version {found.master_version}, {found.master_fingerprint}"),
        ("", f"{found.master_age_days} days old"),
        ("subjects", f"{found.subjects:,} with keys, {found.erased_subjects:,} erased"),
        ("data keys", f"{found.data_keys:,}, {found.old_data_keys:,} of them old"),
        ("index roots", f"version {versions}"),
    ):
        table.add_row(name, value)
    Console(soft_wrap=True).print(table)
    for one in found.attention:
        typer.echo(f"! {one}")
    if not found.attention:
        typer.echo("nothing is overdue")
