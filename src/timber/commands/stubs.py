"""`timber stubs`: the types of the models, for mypy, pyright and editors."""

from pathlib import Path
from typing import Annotated

import typer

from timber.commands.models import Directories, errors_for_people, mapped_models, write
from timber.common.modeling.stubs import stub_text


def stubs(
    directories: Directories = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The stub; of this name it is found by itself.")
    ] = Path("timber_models.pyi"),
    only_check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit with 1 if the file is not current."),
    ] = False,
) -> None:
    """Write a stub that types `get_model` and every model, for mypy, pyright and editors."""
    with errors_for_people():
        with mapped_models(directories) as timber:
            text = stub_text([timber.models.get(name) for name in timber.models.names()])
        if not only_check:
            write(text, output)
    if only_check and not _holds(output, text):
        typer.echo(f"{output} is not what the model files say: run `timber stubs` again", err=True)
        raise typer.Exit(code=1)


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_bytes() == text.encode()
