"""Writes what is stored about a person: as one JSON document, or as a CSV file for each model."""

import base64
import contextlib
import csv
import io
import json
import zipfile
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from timber.common.errors import ErasureError
from timber.common.gdpr.exporting import ExportedRow

_OWNERS: Final = 0o600
"""The mode of what holds all that is stored about a person."""

FORMAT: Final = "timber-export/1"

OnRow = Callable[[], None]
"""Told after each row."""
OnProgress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


def write_json(
    rows: Iterable[ExportedRow], file: IO[str], *, head: Mapping[str, Any], on_row: OnRow
) -> None:
    """Write `{"format": …, <head>, "rows": {<model>: [<row>, …], …}}`, a row a line."""
    opening = json.dumps({"format": FORMAT, **head}, ensure_ascii=False)
    file.write(f'{opening[:-1]}, "rows": {{')
    before = "\n"
    for section, some in groupby(rows, key=lambda one: one.section):
        file.write(f"{before}{json.dumps(section)}: [")
        between = "\n"
        for row in some:
            file.write(between + json.dumps(dict(row.values), default=plain, ensure_ascii=False))
            between = ",\n"
            on_row()
        file.write("]")
        before = ",\n"
    file.write("}}\n")


def write_csv(rows: Iterable[ExportedRow], target: Path, *, on_row: OnRow) -> None:
    """Write a file for each model that has rows into a folder, or into a `.zip`.

    Raises:
        ErasureError: the folder has files already, which would be mixed with these.

    """
    with _files(target) as opened:
        for section, some in groupby(rows, key=lambda one: one.section):
            with opened(f"{section}.csv") as file:
                writer = csv.writer(file)
                for number, row in enumerate(some):
                    if number == 0:
                        writer.writerow(row.values.keys())
                    writer.writerow(map(_cell, row.values.values()))
                    on_row()


def plain(value: Any) -> Any:  # noqa: PLR0911 - one answer for each type
    """Return a value as JSON has it: bytes in base64, moments in ISO 8601, durations in seconds.

    Raises:
        TypeError: nothing is known of its type.

    """
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal() | UUID():
            return str(value)
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case Mapping():
            return dict(value)
        case _ if hasattr(value, "tolist"):
            return value.tolist()
        case _ if hasattr(value, "__iter__"):
            return list(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be exported")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=plain, ensure_ascii=False)
    return plain(value)


@contextlib.contextmanager
def _files(target: Path) -> Generator[Callable[[str], contextlib.AbstractContextManager[IO[str]]]]:
    """Give what opens a file by name, in a folder or in an archive."""
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:

            @contextlib.contextmanager
            def member(name: str) -> Generator[IO[str]]:
                with (
                    archive.open(name, "w", force_zip64=True) as raw,
                    io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
                ):
                    yield text

            yield member
        return
    if target.is_dir() and any(target.iterdir()):
        raise ErasureError(f"the folder {str(target)!r} is not empty: name another one, or a .zip")
    target.mkdir(parents=True, exist_ok=True)

    def file(name: str) -> IO[str]:
        (target / name).touch(_OWNERS)
        return (target / name).open("w", encoding="utf-8", newline="")

    yield file


class Counting:
    """Counts rows, and tells."""

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self.count = 0
        self._on_progress = on_progress
        self._total = total

    def __call__(self) -> None:
        self.count += 1
        if self._on_progress is not None:
            self._on_progress(self.count, self._total)


@contextlib.contextmanager
def all_or_none(target: Path) -> Generator[Path]:
    """Give a place beside the target, which takes that one's in the end; or nothing is left.

    What is written there is for its owner alone.
    """
    partly = target.with_name(f".{target.stem}.partly{target.suffix}")
    partly.unlink(missing_ok=True)  # of one that was killed, and may be open to all
    partly.touch(_OWNERS)
    try:
        yield partly
        partly.replace(target)
    finally:
        partly.unlink(missing_ok=True)
