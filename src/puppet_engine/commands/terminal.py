"""What all commands share: settings from their options, and errors that people can read."""

import asyncio
import contextlib
from collections.abc import Generator

import typer
from rich.console import Console

from puppet_engine.core.errors import ConfigurationError, PuppetEngineError
from puppet_engine.core.settings import Settings


def read_settings(**chosen: object) -> Settings:
    """Return the settings, with what was chosen on the command line.

    Raises:
        ConfigurationError: one of them cannot be used.

    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type] # pydantic checks them
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


@contextlib.contextmanager
def errors_for_people() -> Generator[None]:
    """Tell our errors in red instead of raising them; the exit code is 2, and 130 at Ctrl-C."""
    try:
        yield
    except PuppetEngineError as error:
        # Not wrapped: editors and terminals jump to a `file:line:col` that is in one piece.
        console = Console(stderr=True, soft_wrap=True)
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(code=2) from error
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        raise typer.Exit(code=130) from error
