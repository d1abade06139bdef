"""`timber cache`: what is cached, and how to have it read again."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Final

import typer

from timber.commands.models import (
    AsJson,
    Database,
    Directories,
    errors_for_people,
    opened,
    print_json,
)
from timber.common.caching.service import CacheStatus
from timber.common.errors import ConfigurationError
from timber.common.runtime import Timber

cache_app: Final = typer.Typer(
    name="cache",
    help="See what is cached, and have it read again after changes that Timber did not see.",
    no_args_is_help=True,
)


@cache_app.command()
def status(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Say which models have a cache, and whether Redis answers."""
    with errors_for_people(), opened(directories, database) as timber:
        found = timber.cache.status()
    if as_json:
        print_json(asdict(found))
    else:
        _show(found)


@cache_app.command()
def forget(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The name of a model.")],
    directories: Directories = None,
    *,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Have every process read the rows of a model from the database again."""
    with _shared(directories, database) as timber:
        timber.cache.forget(timber.models.get(model))
    if as_json:
        print_json({"forgotten": [model]})
    else:
        typer.echo(f"{model} is forgotten")


@cache_app.command()
def clear(
    directories: Directories = None, *, database: Database = None, as_json: AsJson = False
) -> None:
    """Have every process read everything again; for after a backup was restored."""
    with _shared(directories, database) as timber:
        timber.cache.clear()
        names = [one.name for one in timber.cache.status().models]
    if as_json:
        print_json({"forgotten": names})
    else:
        typer.echo("everything is forgotten")


@contextmanager
def _shared(directories: Directories, database: Database) -> Generator[Timber]:
    """Give a Timber whose cache other processes share."""
    with errors_for_people(), opened(directories, database) as timber:
        if timber.cache.status().redis is None:
            raise ConfigurationError(
                "without REDIS_URL each process has a cache of its own, which no other can "
                "reach: set REDIS_URL as for those processes, or start them again"
            )
        yield timber


def _show(found: CacheStatus) -> None:
    for model in found.models:
        typer.echo(f"{model.name}: rows of {model.table}, for {model.ttl_seconds:g} s at most")
    if not found.models:
        typer.echo("no model has a cache")
    elif found.redis is None:
        typer.echo("no REDIS_URL: each process has a cache of its own, and sees its own writes")
    else:
        redis = found.redis
        typer.echo("Redis answers" if redis.answers else f"Redis does not answer: {redis.problem}")
        typer.echo(
            f"a write is seen by other processes after {redis.bound_seconds:g} s at the latest"
        )
        typer.echo(f"writes that Redis was not told of, so far: {redis.untold_writes}")
