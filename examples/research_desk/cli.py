"""The command: research a stock, and say where the report lies."""

import json
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from examples.research_desk.desk import Desk, opened_desk
from examples.research_desk.errors import ResearchDeskError
from examples.research_desk.settings import DeskSettings
from examples.research_desk.workflows.stock_research import Outcome
from timber.common.errors import TimberError

_INTERRUPTED: Final = 128 + signal.SIGINT

app: Final = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def research(  # noqa: PLR0913 - one option each
    ticker: Annotated[str | None, typer.Argument(help="The stock, such as AAPL.")] = None,
    *,
    resume: Annotated[
        str | None, typer.Option(help="Go on with the research of this id instead.")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where reports go, each into a folder of its own.")
    ] = Path("var/research"),
    database: Annotated[
        str | None, typer.Option(help="An SQLAlchemy URL; FOLDER/research.db if left out.")
    ] = None,
    user: Annotated[str, typer.Option(help="Whose research it is.")] = "analyst",
    source: Annotated[
        list[str] | None,
        typer.Option(help="offline or yahoo; repeated, each is asked if those before it fail."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Research a stock, and write a report: a page, a text and a chart."""
    if (ticker is None) == (resume is None):
        raise typer.BadParameter("give a ticker, such as AAPL, or --resume ID")
    # What is done goes to the errors, so that what comes of it can be piped.
    said = Console(stderr=True, highlight=False, soft_wrap=True)
    with _told(said):
        settings = DeskSettings() if source is None else DeskSettings(sources=tuple(source))  # type: ignore[arg-type]  # it checks them
        folder.mkdir(parents=True, exist_ok=True)
        url = database or f"sqlite:///{folder / 'research.db'}"
        with opened_desk(url, settings) as desk:
            outcome = _researched(desk, said, user, ticker, resume, folder)
    _print(outcome, as_json=as_json)


def _researched(
    desk: Desk, said: Console, user: str, ticker: str | None, resume: str | None, folder: Path
) -> Outcome:
    desk.ensure_user(user)
    session_id = resume or desk.research.initialize_research(user, ticker)
    said.print(f"Research {session_id}", markup=False)
    try:
        return desk.research.resume_research(
            session_id, folder, progress=lambda doing: said.print(f"  {doing} ...", markup=False)
        )
    except KeyboardInterrupt:
        said.print(f"Broken off. To go on: --resume {session_id}", markup=False)
        raise


@contextmanager
def _told(said: Console) -> Generator[None]:
    """Tell people what failed, in a line; a program reads the code of the exit."""
    try:
        yield
    except ValidationError as error:
        problems = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        said.print(f"The settings RESEARCH_DESK_… cannot be used: {problems}", markup=False)
        raise typer.Exit(2) from error
    except (ResearchDeskError, TimberError, OSError) as error:
        said.print(f"{type(error).__name__}: {error}", markup=False)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(_INTERRUPTED) from error


def _print(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(outcome, indent=2))
        return
    typer.echo(outcome["summary"])
    typer.echo(f"Report: {Path(outcome['report']['html']).resolve()}")


def main() -> None:
    """Run the command."""
    app(prog_name="python -m examples.research_desk")
