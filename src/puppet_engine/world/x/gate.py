"""What stands before every endpoint: proof of who calls, the rate limit, refusals as JSON."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from typing_extensions import override

from puppet_engine.core.clock import Clock
from puppet_engine.world.x.accounts import Account
from puppet_engine.world.x.limits import RateLimiter
from puppet_engine.world.x.oauth import SignatureVerifier
from puppet_engine.world.x.problems import ProblemError, invalid_request, too_many_requests

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ProblemRoute(APIRoute):
    """Answers refusals with problem details, and everything with the rate headers, if known."""

    @override
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except ProblemError as problem:
                response = problem.response()
            except RequestValidationError as error:
                response = invalid_request(_wording(error)).response()
            response.headers.update(getattr(request.state, "rate_headers", {}))
            return response

        return answer


def _wording(error: RequestValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'][1:])) or 'the request'}: {first['msg']}"


class Gate:
    """Lets a request in when its signature is good and its account has calls left."""

    def __init__(self, *, verifier: SignatureVerifier, limiter: RateLimiter, clock: Clock) -> None:
        self._verifier = verifier
        self._limiter = limiter
        self._clock = clock

    async def __call__(self, request: Request) -> None:
        account = self._verifier.verify(request)
        endpoint = f"{request.method} {request.scope['route'].path}"
        allowance = self._limiter.take(account.id, endpoint, now=self._clock.now())
        request.state.account = account
        request.state.rate_headers = allowance.headers()
        if allowance.is_exceeded:
            raise too_many_requests()


async def _caller(request: Request) -> Account:
    account: Account = request.state.account
    return account


Caller = Annotated[Account, Depends(_caller)]
"""The account that the gate let in."""
