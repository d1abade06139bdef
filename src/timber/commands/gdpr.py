"""`timber gdpr`: what is stored about a person, exported, erased, and proven to be."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
    write,
)
from timber.common.errors import ErasureError
from timber.common.gdpr.certificate import Certificate, read_certificate
from timber.common.gdpr.plan import ErasurePlan, PlannedTable
from timber.common.gdpr.replay import Replayed
from timber.common.gdpr.service import GdprService
from timber.common.gdpr.statuses import ErasureStatus

gdpr_app: Final = typer.Typer(
    name="gdpr",
    help="What is stored about a person: export it, erase it, prove that it is gone.",
    no_args_is_help=True,
)

Subject = Annotated[
    str, typer.Argument(metavar="USER", help="The key of the person's row.", show_default=False)
]
Model = Annotated[str, typer.Option("--model", help="The model whose rows are persons.")]
Output = Annotated[
    Path,
    typer.Argument(help="The file; for CSV a folder, or a .zip.", show_default=False),
]
Kind = Annotated[Literal["json", "csv"], typer.Option("--format", help="json or csv.")]
Show = Callable[[str, int, int | None], None]
"""What is being done, how many rows are, and of how many; None: nobody knows."""


@gdpr_app.command()
def export(  # noqa: PLR0913 - one option each
    subject: Subject,
    output: Output,
    directories: Directories = None,
    *,
    kind: Kind = "json",
    model: Model = "User",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that is stored about a person to a file."""
    with _service(directories, database) as service, _bar(as_json) as show:
        write_rows = service.export_json if kind == "json" else service.export_csv

        def on_progress(done: int, total: int) -> None:
            show("rows", done, total)

        rows = write_rows(subject, output, model=model, on_progress=on_progress)
    if as_json:
        print_json({"rows": rows, "output": str(output)})
    else:
        typer.echo(f"wrote {rows:,} rows to {output}")


@gdpr_app.command()
def erase(  # noqa: PLR0913 - one option each
    subject: Subject,
    directories: Directories = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="The file for the certificate.")
    ] = None,
    model: Model = "User",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Erase what is stored about a person, for good, and print the signed certificate.

    Run it again if it was stopped.
    """
    with _service(directories, database) as service:
        if dry_run or not yes:
            plan = service.plan(subject, model=model)
            if dry_run and as_json:
                print_json(plan.as_dict())
            else:
                typer.echo(_planned(plan), err=not dry_run)
            if dry_run:
                return
            typer.confirm("Erase this for good?", abort=True, err=True)
        with _bar(as_json) as show:
            done = service.erase(
                subject, model=model, on_progress=lambda step, rows: show(step, rows, None)
            )
    write(f"{done.as_json()}\n", certificate)
    if certificate is not None and not as_json:
        typer.echo(f"{_told(done)}; the certificate is {certificate}")


@gdpr_app.command()
def status(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Say of every erasure how far it is; with --json, with its certificate."""
    with _service(directories, database) as service:
        found = service.status()
    if as_json:
        facts = [
            {**asdict(one), "certificate": one.certificate and dict(one.certificate.facts)}
            for one in found
        ]
        print_json({"erasures": facts})
    else:
        typer.echo("\n".join(map(_line, found)) or "nobody was erased yet")


@gdpr_app.command()
def replay(
    directories: Directories = None,
    *,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Look for all who were ever erased: after a table was restored."
        ),
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Erase again who is in the data though erased before, as after a backup was restored.

    Every opening of the database does so by itself, but for --all.
    """
    with _service(directories, database) as service:
        before, now = service.replayed, service.replay(everything=everything)
    done = Replayed(
        resumed=before.resumed + now.resumed,
        repeated=before.repeated + now.repeated,
        stuck=now.stuck,
    )
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(f"finished {done.resumed:,} erasures, and repeated {done.repeated:,}")
    if done.stuck:
        typer.echo(f"{done.stuck:,} cannot go on; the log says why", err=True)
        raise typer.Exit(1)


@gdpr_app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A certificate.", show_default=False)],
    directories: Directories = None,
    *,
    public_key: Annotated[
        str | None,
        typer.Option("--public-key", help="The key that must have signed it, in base64."),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Verify a certificate: by the keystore of a database, by a public key, or by its own."""
    with errors_for_people():
        text = _text_of(file)
        found = read_certificate(text)
        if public_key is not None and found.public_key != public_key:
            raise ErasureError(f"the certificate was signed by another key, {found.public_key}")
    whose = "the key that you named" if public_key else f"the key {found.public_key}"
    if database is not None or directories:
        with _service(directories, database) as service:
            service.verify(text)
        whose = "the keystore of this database"
    if as_json:
        print_json({"verified": True, "by": whose, **found.facts})
        return
    typer.echo(f"unchanged, and signed by {whose}: {_told(found)}")
    if not directories and database is None and public_key is None:
        typer.echo("whether that key is the right one, --public-key or --database tells", err=True)


# ------------------------------------------------------------------ what they share


@contextlib.contextmanager
def _service(directories: Sequence[Path] | None, database: str | None) -> Generator[GdprService]:
    with errors_for_people(), opened(directories, database, create_tables=True) as timber:
        yield timber.gdpr


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ErasureError(f"{str(file)!r} cannot be read: {error}") from error


def _planned(plan: ErasurePlan) -> str:
    lines = [_planned_line(one) for one in plan.tables] or ["no row is about this person"]
    lines.append(f"texts, with their vectors: {plan.texts:,} pieces to delete")
    return "\n".join(lines)


def _planned_line(one: PlannedTable) -> str:
    what = f"{one.table}: {one.rows:,} rows to {one.action}, by {' or '.join(one.paths)}"
    if one.emptied:
        what += f"; {one.emptied:,} of them to empty, for what stays needs them"
    if one.columns and one.action != "unlink":
        what += f" ({', '.join(one.columns)})"
    return what + (f": {one.reason}" if one.reason else "")


def _told(certificate: Certificate) -> str:
    counts = {
        what: certificate.count(what)
        for what in ("deleted", "anonymised", "emptied", "unlinked", "retained", "held")
    }
    said = ", ".join(f"{count:,} rows {what}" for what, count in counts.items() if count)
    return said or "no rows"


def _line(one: ErasureStatus) -> str:
    if one.finished_at is None:
        return f"{one.erasure_id}: under way at {one.step!r}, {one.rows:,} rows done"
    what = _told(one.certificate) if one.certificate else "was not in this database"
    return f"{one.erasure_id}: finished {one.finished_at:%Y-%m-%d %H:%M:%S}; {what}"


@contextlib.contextmanager
def _bar(quiet: bool) -> Generator[Show]:
    """Give what shows how far something is; it shows nothing where nobody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _what, _done, _of: None
        return
    columns = (
        TextColumn("{task.description}"),
        *(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task: Any = bar.add_task("", total=None)

        def show(what: str, done: int, of: int | None) -> None:
            bar.update(task, description=what, completed=done, total=of)

        yield show
