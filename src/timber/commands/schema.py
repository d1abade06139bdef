"""`timber schema`: the JSON Schema by which editors complete and check model files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from timber.commands.models import errors_for_people, write
from timber.common.modeling.json_schema import model_file_schema


def schema(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file; else the terminal.")
    ] = None,
) -> None:
    """Write the JSON Schema of model files, by which editors complete and check them."""
    with errors_for_people():
        write(json.dumps(model_file_schema(), indent=2) + "\n", output)
