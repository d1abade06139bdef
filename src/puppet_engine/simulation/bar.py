"""The bars that tell how far a life has come, and then its measuring."""

import contextlib
import logging
from collections.abc import Callable, Generator

from rich.console import Console
from rich.progress import BarColumn, Progress as Bar, TextColumn, TimeRemainingColumn

from puppet_engine.simulation.life import Progress
from puppet_engine.simulation.scenario import FIRST_MOMENT


@contextlib.contextmanager
def bar(days: float, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """Show a bar for a life of some days, which grows with each call; nothing when `quiet`."""
    columns = (
        TextColumn("day {task.fields[day]} of " + f"{days:g}"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, quiet=quiet)
    with _silenced(), Bar(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=1.0, day="1, 06:00", events=0, rate=0.0)

        def show(progress: Progress) -> None:
            day = (progress.now.date() - FIRST_MOMENT.date()).days + 1
            shown.update(
                task,
                completed=progress.share,
                day=f"{day}, {progress.now:%H:%M}",
                events=progress.events,
                rate=progress.events / progress.seconds,
            )

        yield show


@contextlib.contextmanager
def steps(*, quiet: bool) -> Generator[Callable[[str, float], None]]:
    """Show a bar for steps, which is told the next one and the share that is behind."""
    columns = (TextColumn("measuring {task.description}"), BarColumn())
    console = Console(stderr=True, quiet=quiet)
    with Bar(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=1.0)

        def show(name: str, share: float) -> None:
            shown.update(task, description=name.replace("_", " "), completed=share)

        yield show


@contextlib.contextmanager
def _silenced() -> Generator[None]:
    """Log nothing: what goes wrong on purpose is in the report, and lines would hide the bar."""
    log = logging.getLogger("puppet_engine")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
