"""The options that several commands have, each once: named, and told of, the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Agents = Annotated[
    Path | None, typer.Option("--agents", help="The folder of persona files.", show_default=False)
]
Api = Annotated[
    str | None,
    typer.Option(help="Where an engine that runs is reached, such as http://127.0.0.1:8700."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Database = Annotated[
    str | None, typer.Option(help="Where an engine keeps everything, an SQLAlchemy URL.")
]
Seed = Annotated[int, typer.Option(help="Where all chance comes from.")]
StoppedDatabase = Annotated[
    str | None,
    typer.Option("--database", help="Where a stopped engine keeps everything, an SQLAlchemy URL."),
]
