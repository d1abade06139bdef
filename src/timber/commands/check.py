"""`timber check`: every problem of the model files at once."""

import re
from typing import Any, Final

import typer

from timber.commands.models import (
    AsJson,
    Directories,
    errors_for_people,
    print_json,
    settings_for,
)
from timber.common.errors import ModelFileError
from timber.common.modeling.catalogue import Catalogue
from timber.common.modeling.reader import model_files, read_model_files
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

_LOCATED: Final = re.compile(
    r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL
)


def check(
    directories: Directories = None,
    as_json: AsJson = False,
) -> None:
    """Report every problem of the model files; exit with 1 if there is one."""
    with errors_for_people():
        settings = settings_for(directories)
        names, packaged, notes, problems = _findings(settings)
    files = len(model_files(settings.model_config_dirs))
    if as_json:
        report = {
            "files": files,
            "models": names,
            "packaged_models": packaged,
            "notes": [_parts(one) for one in notes],
            "problems": [_parts(one) for one in problems],
        }
        print_json(report)
    elif problems:
        typer.echo("\n".join(problems))
        typer.echo(f"{_count(len(problems), 'problem')} in {_count(files, 'file')}", err=True)
    else:
        typer.echo("".join(f"{note}\n" for note in notes), nl=False, err=True)
        typer.echo(f"{_count(len(names), 'model')} in {_count(files, 'file')}: no problems")
    if problems:
        raise typer.Exit(code=1)


def _findings(
    settings: TimberSettings,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the names of the models, those of packages apart, and notes; or else the problems.

    Notes say what was read otherwise than it is written; nobody must act on them.
    """
    try:
        with Timber().mapped(settings) as timber:
            written = Catalogue(read_model_files(model_files(settings.model_config_dirs)))
            own = {one.model.name for one in written.tables.values() if one.model}
            names = timber.models.names()
            packaged = tuple(name for name in names if name not in own)
            return tuple(sorted(own)), packaged, timber.models.notes(), ()
    except ModelFileError as error:
        return (), (), (), tuple(sorted(error.problems, key=_place))


def _parts(problem: str) -> dict[str, Any]:
    """Take a problem apart; one that no single place has caused has a message only."""
    found = _LOCATED.fullmatch(problem)
    if found is None:
        return {"file": None, "line": None, "column": None, "message": problem}
    place = {"line": int(found["line"]), "column": int(found["column"])}
    return {"file": found["file"], **place, "message": found["message"]}


def _place(problem: str) -> tuple[str, int, int]:
    parts = _parts(problem)
    return parts["file"] or "", parts["line"] or 0, parts["column"] or 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
