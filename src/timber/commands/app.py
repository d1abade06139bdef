"""The commands, put together."""

from typing import Final

import typer

from timber.commands.admin import admin
from timber.commands.cache import cache_app
from timber.commands.check import check
from timber.commands.graph import graph
from timber.commands.keys import keys_app
from timber.commands.migrate import migrate_app
from timber.commands.schema import schema
from timber.commands.search import search
from timber.commands.stubs import stubs
from timber.commands.vectors import vectors_app

cli: Final = typer.Typer(
    name="timber",
    help="Models as a language: check, complete, type, draw, migrate them, and look into them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (check, schema, stubs, graph, admin, search):
    cli.command()(command)
cli.add_typer(migrate_app)
cli.add_typer(cache_app)
cli.add_typer(vectors_app)
cli.add_typer(keys_app)
