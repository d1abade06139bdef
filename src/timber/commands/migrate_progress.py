"""Shows on a terminal how far the steps of a migration are, for large tables take their time."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress as Bar,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from timber.common.migrations.progress import Progress


@contextmanager
def progress_bar(quiet: bool) -> "Generator[Callable[[Progress], None] | None]":
    """Give what shows progress; None where nobody looks, so that nothing is counted for it."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (
        *(BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeElapsedColumn()),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(progress: "Progress") -> None:
            bar.update(
                task, total=progress.steps, completed=progress.done, description=_said(progress)
            )
            bar.refresh()

        yield show


def _said(progress: "Progress") -> str:
    rows = "" if progress.rows is None else f" ({progress.rows:,} rows)"
    return escape(f"{progress.step}: {progress.doing}{rows}" if progress.doing else progress.step)
