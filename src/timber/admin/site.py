"""Puts the admin site of a Timber together."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from jinja2 import BaseLoader, Environment, PackageLoader, PrefixLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin.base import BaseAdmin
from starlette_admin.routing import route
from starlette_admin.theme import ClassMap, DefaultTheme
from starlette_admin.views import CustomView
from typing_extensions import override

from timber.admin.guard import Guard
from timber.admin.login import PasswordLogin
from timber.admin.shape import Shape
from timber.admin.view import TimberView
from timber.common.clock import Clock, SystemClock
from timber.common.runtime import Timber

_HERE: Final = Path(__file__).parent
_SCRIPT: Final = re.compile(r"<script\b")
_REPLACED: Final = {
    'onchange="window.location = this.value"': "data-timber-go",
    'onclick="applyColumnVisibility()"': "data-timber-columns",
    '"{{ obj[pk] }}"': "{{ obj[pk] | tojson }}",
}
"""Scripts in attributes, which no nonce can allow, and what `admin.js` knows them by.
The last one is a key that was escaped for HTML where it stands in a script."""


def create_site(
    timber: Timber,
    *,
    password: str,
    read_only: bool = False,
    title: str = "Timber",
    clock: Clock | None = None,
    new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
) -> Starlette:
    """Return the site of an open Timber, which lets in who knows the password.

    Raises:
        NotOpenError: the Timber is not open.

    """
    clock = clock or SystemClock()
    secret = new_token()
    shapes = {name: Shape(timber.models.get(name)) for name in timber.models.names()}
    views = [
        TimberView(
            shape,
            shapes=shapes,
            database=timber.database,
            clock=clock,
            read_only=read_only,
            secret=secret,
        )
        for shape in shapes.values()
    ]
    templates = _Nonced(PackageLoader("starlette_admin", "templates"))
    admin = BaseAdmin(
        title=title,
        base_url="/",
        templates_dir=str(_HERE / "templates"),
        additional_loaders=[templates, PrefixLoader({"@given": templates})],
        static_dir=str(_HERE / "static"),
        index_view=Overview(views),
        auth_provider=PasswordLogin(password, secret=secret, clock=clock, new_token=new_token),
        secret_key=secret,
        timezone_config=None,
        theme=_Theme(),
    )
    for view in views:
        admin.add_view(view)
    site = Starlette(middleware=[Middleware(Guard)])
    admin.mount_to(site)
    return site


class Overview(CustomView):
    """The first page: every model, what it is, and how many rows it has."""

    def __init__(self, views: list[TimberView]) -> None:
        self._shown = views
        super().__init__(menu_label="Models", icon="fa fa-house", route_name="index", path="/")

    @override
    @route("")
    async def index(self, request: Request) -> Response:
        counts = {view.key: await view.count(request) for view in self._shown}
        if self._admin is None:
            raise RuntimeError("the overview belongs to no site")
        return self._admin._template_response(  # noqa: SLF001 - as the library's own views do
            request, "overview.html", {"title": "Models", "shown": self._shown, "counts": counts}
        )


class _Classes(ClassMap):
    """What looks different here: the way out of a form does not look dangerous."""

    classes: ClassVar[dict[str, str]] = {"form.cancel_button": "btn"}


class _Theme(DefaultTheme):
    """The library's own look, but for a few classes."""

    name = "timber"
    package = "starlette_admin"

    @override
    def get_class_map(self) -> ClassMap:
        return _Classes()


class _Nonced(BaseLoader):
    """Templates whose own scripts carry the nonce of the response; what is put in has none."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    @override
    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, name, is_current = self._loader.get_source(environment, template)
        for given, ours in _REPLACED.items():
            source = source.replace(given, ours)
        source = _SCRIPT.sub('<script nonce="{{ request.state.nonce }}"', source)
        return source, name, is_current
