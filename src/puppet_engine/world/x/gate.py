"""What stands before every endpoint: proof of who calls, the rate limit, refusals as JSON."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter, ValidationError

from puppet_engine.core.clock import Clock
from puppet_engine.world.x.accounts import Account
from puppet_engine.world.x.limits import RateLimiter
from puppet_engine.world.x.oauth import SignatureVerifier
from puppet_engine.world.x.problems import ProblemError, invalid_request, too_many_requests

Answer = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")


def open_to_all(answer: Callable[[Request], Awaitable[Answer]]) -> Handler:
    """Return what answers requests of anybody, and refusals with problem details."""

    async def respond(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except ProblemError as problem:
            return problem.response()

    return respond


class Gate:
    """Lets a request in when its signature is good and its account has calls left."""

    def __init__(self, *, verifier: SignatureVerifier, limiter: RateLimiter, clock: Clock) -> None:
        self._verifier = verifier
        self._limiter = limiter
        self._clock = clock

    def before(
        self,
        endpoint: str,
        answer: Callable[[Request, Account], Awaitable[Answer]],
        *,
        status: int = 200,
    ) -> Handler:
        """Return what answers requests to an endpoint, called as `LIMITS` calls it.

        Refusals are answered with problem details, and everything with the rate headers, if known.
        """

        async def respond(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                account = self._verifier.verify(request)
                now = self._clock.now()
                allowance = self._limiter.take(account.id, endpoint, now=now)
                headers = allowance.headers()
                if allowance.is_exceeded:
                    raise too_many_requests()
                response = JSONResponse(await answer(request, account), status)
            except ProblemError as problem:
                response = problem.response()
            response.headers.update(headers)
            return response

        return respond


def options_of(request: Request, form: type[Model]) -> Model:
    """Return what a request asks for in its query. Raises the problem of one that breaks it."""
    try:
        return form.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise invalid_request(_wording(error)) from error


async def body_of(request: Request, form: type[Model]) -> Model:
    """Return the body of a request. Raises the problem of one that breaks its form."""
    body = await request.body()
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        raise invalid_request(_wording(error)) from error


def named(request: Request, name: str, form: TypeAdapter[T]) -> T:
    """Return a part of a request's path. Raises the problem of one that breaks its form."""
    try:
        return form.validate_python(request.path_params[name])
    except ValidationError as error:
        raise invalid_request(_wording(error, name)) from error


def _wording(error: ValidationError, name: str = "") -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or name or "the request"
    return f"{where}: {first['msg']}"
