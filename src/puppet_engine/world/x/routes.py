"""The endpoints of X API v2, and the world's own desk where accounts are had."""

from datetime import timedelta
from http import HTTPStatus
from itertools import takewhile
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from puppet_engine.core.clock import Clock
from puppet_engine.world.x.accounts import Account
from puppet_engine.world.x.gate import Answer, Gate, body_of, named, open_to_all, options_of
from puppet_engine.world.x.limits import LIMITS, RateLimiter
from puppet_engine.world.x.oauth import SignatureVerifier
from puppet_engine.world.x.pages import (
    NumericId,
    Renderer,
    SearchOptions,
    TimelineOptions,
    ViewOptions,
)
from puppet_engine.world.x.problems import forbidden, invalid_request, not_found
from puppet_engine.world.x.search import compile_query
from puppet_engine.world.x.site import XSite

_SEARCHED: Final = timedelta(days=7)
_MAX_LOOKUP: Final = 100
_NUMERIC_ID: Final = TypeAdapter[str](NumericId)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewAccount(_Body):
    """What somebody says who signs up."""

    handle: str
    name: str
    description: str | None = None
    """The bio; an account that is there already gets this one."""


class ReplyTarget(_Body):
    """The post that a new post answers."""

    in_reply_to_tweet_id: NumericId


class NewPost(_Body):
    """What somebody says who posts."""

    text: Annotated[str, Field(min_length=1)]
    reply: ReplyTarget | None = None
    quote_tweet_id: NumericId | None = None


class LookupOptions(ViewOptions):
    """Which posts are looked up, by ids with commas between."""

    ids: str


def create_x_router(site: XSite, *, wall_clock: Clock) -> APIRouter:
    """Return the router that serves `site`; requests are stamped by `wall_clock`."""
    verifier = SignatureVerifier(accounts=site.accounts, wall_clock=wall_clock)
    gate = Gate(verifier=verifier, limiter=RateLimiter(LIMITS), clock=site.clock)
    desk, posts, users = _SignUpDesk(site), _PostEndpoints(site), _UserEndpoints(site)

    # Without FastAPI's own reading of parameters, which takes longer than all the rest.
    router = APIRouter()
    endpoints = {
        "POST /2/tweets": posts.create,
        "GET /2/tweets": posts.look_up,
        "GET /2/tweets/search/recent": posts.search,
        "GET /2/tweets/{post_id}": posts.get,
        "DELETE /2/tweets/{post_id}": posts.delete,
        "GET /2/users/me": users.me,
        "GET /2/users/by/username/{username}": users.by_username,
        "GET /2/users/{user_id}": users.get,
        "GET /2/users/{user_id}/mentions": users.mentions,
        "GET /2/users/{user_id}/tweets": users.timeline,
    }
    for endpoint, answer in endpoints.items():
        method, path = endpoint.split()
        status = HTTPStatus.CREATED if method == "POST" else HTTPStatus.OK
        router.add_route(path, gate.before(endpoint, answer, status=status), methods=[method])
    router.add_route("/world/x/accounts", open_to_all(desk.sign_up), methods=["POST"])
    return router


class _SignUpDesk:
    """Gives out accounts; the real X has a web site for that."""

    def __init__(self, site: XSite) -> None:
        self._site = site

    async def sign_up(self, request: Request) -> Answer:
        wanted = await body_of(request, NewAccount)
        account = await self._site.sign_up(
            wanted.handle, wanted.name, description=wanted.description
        )
        return {
            "id": str(account.id),
            "handle": account.handle,
            "api_key": account.api_key,
            "api_secret": account.api_secret,
            "access_token": account.access_token,
            "access_token_secret": account.access_token_secret,
        }


class _Endpoints:
    def __init__(self, site: XSite) -> None:
        self._site = site

    def _renderer(self, options: ViewOptions) -> Renderer:
        return Renderer(accounts=self._site.accounts, posts=self._site.posts, options=options)


class _PostEndpoints(_Endpoints):
    """Posting, deleting, looking up, searching."""

    async def create(self, request: Request, caller: Account) -> Answer:
        new = await body_of(request, NewPost)
        if new.quote_tweet_id is not None:
            raise forbidden("Quoting posts is not available to your access level.")
        target = int(new.reply.in_reply_to_tweet_id) if new.reply else None
        post = await self._site.publish(caller, new.text, in_reply_to=target)
        return {"data": self._renderer(ViewOptions()).post(post)}

    async def delete(self, request: Request, caller: Account) -> Answer:
        post_id = int(named(request, "post_id", _NUMERIC_ID))
        return {"data": {"deleted": await self._site.delete(caller, post_id)}}

    async def get(self, request: Request, _caller: Account) -> Answer:
        post_id = named(request, "post_id", _NUMERIC_ID)
        options = options_of(request, ViewOptions)
        post = self._site.posts.with_id(int(post_id))
        if post is None:
            return {"errors": [not_found("tweet", "id", post_id)]}
        renderer = self._renderer(options)
        return {"data": renderer.post(post), **renderer.includes([post])}

    async def look_up(self, request: Request, _caller: Account) -> Answer:
        options = options_of(request, LookupOptions)
        ids = list(dict.fromkeys(options.ids.split(",")))
        if len(ids) > _MAX_LOOKUP or not all(one.isascii() and one.isdigit() for one in ids):
            raise invalid_request(f"ids {options.ids!r} has to be 1 to {_MAX_LOOKUP} numbers")
        found = {one: self._site.posts.with_id(int(one)) for one in ids}
        posts = [post for post in found.values() if post]
        errors = [not_found("tweet", "ids", one) for one, post in found.items() if not post]
        renderer = self._renderer(options)
        answer: Answer = {"data": renderer.posts(posts)} if posts else {}
        return answer | renderer.includes(posts) | ({"errors": errors} if errors else {})

    async def search(self, request: Request, _caller: Account) -> Answer:
        options = options_of(request, SearchOptions)
        wanted = compile_query(options.query, self._site.accounts)
        oldest = self._site.clock.now() - _SEARCHED
        recent = takewhile(lambda one: one.created_at >= oldest, self._site.posts.newest())
        selected = options.with_one_token().select(filter(wanted, recent))
        return self._renderer(options).page(selected, max_results=options.max_results)


class _UserEndpoints(_Endpoints):
    """Who somebody is, what they said, who names them."""

    async def me(self, request: Request, caller: Account) -> Answer:
        return {"data": self._renderer(options_of(request, ViewOptions)).user(caller)}

    async def get(self, request: Request, _caller: Account) -> Answer:
        user_id = named(request, "user_id", _NUMERIC_ID)
        options = options_of(request, ViewOptions)
        return self._profile(self._with_id(user_id), "id", user_id, options)

    async def by_username(self, request: Request, _caller: Account) -> Answer:
        username = request.path_params["username"]
        options = options_of(request, ViewOptions)
        found = self._site.accounts.with_handle(username)
        return self._profile(found, "username", username, options)

    async def mentions(self, request: Request, _caller: Account) -> Answer:
        user_id = named(request, "user_id", _NUMERIC_ID)
        options = options_of(request, TimelineOptions)
        user = self._with_id(user_id)
        if user is None:
            return {"errors": [not_found("user", "id", user_id)]}
        selected = options.select(self._site.posts.mentioning(user.id, user.handle))
        return self._renderer(options).page(selected, max_results=options.max_results)

    async def timeline(self, request: Request, _caller: Account) -> Answer:
        user_id = named(request, "user_id", _NUMERIC_ID)
        options = options_of(request, TimelineOptions)
        user = self._with_id(user_id)
        if user is None:
            return {"errors": [not_found("user", "id", user_id)]}
        selected = options.select(self._site.posts.by_author(user.id))
        return self._renderer(options).page(selected, max_results=options.max_results)

    def _with_id(self, user_id: str) -> Account | None:
        return self._site.accounts.with_id(int(user_id))

    def _profile(
        self, found: Account | None, parameter: str, value: str, options: ViewOptions
    ) -> Answer:
        if found is None:
            return {"errors": [not_found("user", parameter, value)]}
        return {"data": self._renderer(options).user(found)}
