"""How every command reaches the models, and how it speaks of what went wrong."""

import contextlib
import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from timber.common.errors import ConfigurationError, DocumentError, TimberError
from timber.common.modeling.reader import model_files
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings, load_settings

Directories = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="DIR...",
        help="Folders of model files; else those of TIMBER_MODEL_CONFIG_DIRS.",
        show_default=False,
    ),
]

Database = Annotated[
    str | None,
    typer.Option("--database", help="An SQLAlchemy URL; else TIMBER_DATABASE_URL."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def settings_for(directories: Sequence[Path] | None) -> TimberSettings:
    """Return the settings of a Timber over these folders, or over those of the environment.

    Raises:
        ConfigurationError: there are none, or one of them is missing or has no model file.

    """
    settings = (
        load_settings(model_config_dirs=tuple(directories)) if directories else load_settings()
    )
    if not settings.model_config_dirs:
        raise ConfigurationError("no folder of model files: name one, or more")
    for directory in settings.model_config_dirs:
        if not model_files((directory,)):
            raise ConfigurationError(
                f"there is no model file (*.yaml, *.yml, *.json) under {str(directory)!r}"
            )
    return settings


@contextlib.contextmanager
def mapped_models(directories: Sequence[Path] | None) -> Generator[Timber]:
    """Map the models of these folders, without a database."""
    with Timber().mapped(settings_for(directories)) as timber:
        yield timber


@contextlib.contextmanager
def opened(
    directories: Sequence[Path] | None, database: str | None, *, create_tables: bool = False
) -> Generator[Timber]:
    """Open the models of these folders over a database that has its tables, or gets them.

    Raises:
        ConfigurationError: no database is named.

    """
    settings = settings_for_database(directories, database)
    changes: dict[str, Any] = {
        "create_tables": create_tables,
        "enable_auto_vector_ingestion": False,  # which would write meanwhile
    }
    with Timber().opened(settings.model_copy(update=changes)) as timber:
        yield timber


def settings_for_database(
    directories: Sequence[Path] | None, database: str | None
) -> TimberSettings:
    """Return the settings of a Timber over these folders and that database.

    Raises:
        ConfigurationError: no database is named, or `settings_for` says so.

    """
    settings = settings_for(directories)
    if database is not None:
        return settings.model_copy(update={"database_url": database})
    if "database_url" not in settings.model_fields_set:
        raise ConfigurationError("no database: name one by --database or TIMBER_DATABASE_URL")
    return settings


def print_json(facts: dict[str, Any]) -> None:
    """Print facts as one JSON object."""
    typer.echo(json.dumps(facts, indent=2, default=str))


@contextlib.contextmanager
def errors_for_people() -> Generator[None]:
    """Print an error of ours as text, a problem a line, and exit with 2."""
    try:
        yield
    except DocumentError as error:
        # As they are: editors and terminals jump to a `file:line:col` that is in one piece.
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(code=2) from error
    except TimberError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(code=2) from error


def write(text: str, output: Path | None) -> None:
    """Write to a file, with the folders it needs, or to the terminal: None, or `-`.

    Raises:
        ConfigurationError: the file cannot be written.

    """
    if output is None or output == Path("-"):
        typer.echo(text, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{str(output)!r} cannot be written: {error.strerror}") from error
