"""What an appraisal came to: in files, and told at the terminal."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from puppet_engine.appraisal.page import page
from puppet_engine.appraisal.report import Appraisal, Verdict
from puppet_engine.core.errors import ConfigurationError


class Files:
    """The files of an appraisal, in a folder that is made now: not after ninety days.

    Raises:
        ConfigurationError: it cannot be made, or written.

    """

    def __init__(self, folder: Path) -> None:
        self.json = folder / "measures.json"
        self.page = folder / "measures.html"
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, found: Appraisal) -> None:
        """Write what an appraisal came to."""
        with _writing(self.json.parent):
            self.json.write_text(found.as_json(), encoding="utf-8")
            self.page.write_text(page(found), encoding="utf-8")


@contextmanager
def _writing(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written: {error.strerror}") from error


def tell(found: Appraisal, files: Files, *, as_json: bool) -> None:
    """Tell what an appraisal came to, as one JSON object or in lines for people."""
    if as_json:
        sys.stdout.write(found.as_json())
        return
    console = Console(soft_wrap=True, highlight=False)
    for verdict in found.verdicts.values():
        mark = "[green]holds[/] " if verdict.holds else "[red]beyond[/]"
        console.print(f"{mark} [bold]{verdict.title}[/]: {verdict.asks}")
        for line in _lines(verdict):
            console.print(f"         {line}", markup=False)
    console.print(
        f"{found.texts:,} texts of {len(found.handles)} personas in {found.days:g} virtual days; "
        f"{found.lived_seconds:.0f} s of processor time to live, "
        f"{found.measured_seconds:.0f} s to measure.\nTo look at: {files.page}",
        markup=False,
    )


def _lines(verdict: Verdict) -> Iterator[str]:
    """Yield a line for what holds of everybody, and one for each who is beyond a line."""
    for group in verdict.groups:
        for one in group.shown:
            yield f"{group.of}, {one.owner}: {one.figure} ({one.line}), over {one.count:,}"
        if not group.shown:
            count = len(group.readings)
            yield f"{group.of}: {group.span}, all {count} within their lines"
