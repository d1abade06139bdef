"""`timber graph`: the models as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from timber.commands.models import Directories, errors_for_people, mapped_models, write
from timber.common.modeling.diagram import diagram


def graph(
    directories: Directories = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The file: *.md gets a fenced block; else the terminal."
        ),
    ] = None,
) -> None:
    """Draw the tables, their columns and links as a Mermaid diagram."""
    with errors_for_people(), mapped_models(directories) as timber:
        models = [timber.models.get(name) for name in timber.models.names()]
        text = diagram(timber.base.metadata, models)
        if output is not None and output.suffix == ".md":
            text = f"```mermaid\n{text}```\n"
        write(text, output)
