"""`timber admin`: a site to look at and change the rows of any directory of models."""

import secrets
from pathlib import Path
from typing import Annotated, Final

import typer

from timber.commands.models import errors_for_people
from timber.common.errors import FeatureUnavailableError
from timber.common.settings import load_settings

PORT: Final = 8330


def admin(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of model files.", show_default=False)
    ],
    database: Annotated[
        str | None,
        typer.Option(
            help="Where the rows are, an SQLAlchemy URL; else TIMBER_DATABASE_URL.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where the site is; 0: any free port.")
    ] = PORT,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Change nothing; the database refuses it too.")
    ] = False,
    create_tables: Annotated[
        bool, typer.Option("--create-tables", help="Create the tables that are missing.")
    ] = False,
) -> None:
    """Serve an admin site over the models of DIR, on this machine only, until Ctrl-C.

    The password is TIMBER_ADMIN_PASSWORD, or one that is made up and printed.
    """
    with errors_for_people():
        _serve(directory, database, port=port, read_only=read_only, create_tables=create_tables)


def _serve(
    directory: Path, database: str | None, *, port: int, read_only: bool, create_tables: bool
) -> None:
    try:
        from timber.admin.server import listening, opened_for_admin, serve  # noqa: PLC0415
        from timber.admin.settings import load_admin_settings  # noqa: PLC0415
        from timber.admin.site import create_site  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if str(error.name).startswith("timber"):
            raise
        cure = "pip install 'puppet-engine[admin]'"
        raise FeatureUnavailableError("the admin site", cure=cure) from error
    given = load_admin_settings().password
    password = given.get_secret_value() if given else secrets.token_urlsafe(12)
    settings = load_settings(
        **({} if database is None else {"database_url": database}),
        model_config_dirs=(directory,),
        create_tables=create_tables and not read_only,
    )
    with opened_for_admin(settings, read_only=read_only) as timber, listening(port) as listener:
        site = create_site(timber, password=password, read_only=read_only, title="Timber admin")
        typer.echo(f"The admin site is at http://127.0.0.1:{listener.getsockname()[1]}/")
        if given is None:
            typer.echo(f"Password: {password}")
        serve(site, listener)
