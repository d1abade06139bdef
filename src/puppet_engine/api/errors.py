"""The border where errors become answers: a status, and `{"status": "error", "error": …}`."""

import logging
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from puppet_engine.api.schemas import Failure, Problem
from puppet_engine.core.errors import (
    AgentExistsError,
    AgentNotFoundError,
    BacklogFullError,
    ChainUnavailableError,
    CircuitOpenError,
    ConfigurationError,
    DecisionNotFoundError,
    DecisionTidiedAwayError,
    EngineUnavailableError,
    EventNotFoundError,
    FellBehindError,
    LLMRefusedError,
    LLMUnavailableError,
    MemoryNotFoundError,
    MissingCredentialError,
    ModelBudgetError,
    NetworkRefusedError,
    NetworkUnavailableError,
    NothingToDoError,
    NotRunningError,
    OutboxError,
    PersonNotFoundError,
    PuppetEngineError,
    QuarantinedNotFoundError,
    RateLimitedError,
    RecordingError,
    StorageError,
    SuspectOrderError,
    TradeError,
    UnusableAnswerError,
)

log = logging.getLogger(__name__)

STATUSES: Final[dict[type[PuppetEngineError], HTTPStatus]] = {
    AgentNotFoundError: HTTPStatus.NOT_FOUND,
    MemoryNotFoundError: HTTPStatus.NOT_FOUND,
    PersonNotFoundError: HTTPStatus.NOT_FOUND,
    QuarantinedNotFoundError: HTTPStatus.NOT_FOUND,
    EventNotFoundError: HTTPStatus.NOT_FOUND,
    DecisionNotFoundError: HTTPStatus.NOT_FOUND,
    DecisionTidiedAwayError: HTTPStatus.GONE,
    BacklogFullError: HTTPStatus.SERVICE_UNAVAILABLE,
    EngineUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    FellBehindError: HTTPStatus.SERVICE_UNAVAILABLE,
    AgentExistsError: HTTPStatus.CONFLICT,
    NothingToDoError: HTTPStatus.CONFLICT,
    OutboxError: HTTPStatus.CONFLICT,
    TradeError: HTTPStatus.CONFLICT,
    ConfigurationError: HTTPStatus.UNPROCESSABLE_ENTITY,
    RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    LLMRefusedError: HTTPStatus.BAD_GATEWAY,
    UnusableAnswerError: HTTPStatus.BAD_GATEWAY,
    RecordingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ModelBudgetError: HTTPStatus.TOO_MANY_REQUESTS,
    NetworkRefusedError: HTTPStatus.BAD_GATEWAY,
    SuspectOrderError: HTTPStatus.BAD_GATEWAY,
    MissingCredentialError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotRunningError: HTTPStatus.SERVICE_UNAVAILABLE,
    LLMUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    CircuitOpenError: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
    NetworkUnavailableError: HTTPStatus.GATEWAY_TIMEOUT,
    ChainUnavailableError: HTTPStatus.GATEWAY_TIMEOUT,
}


def status_of(error: PuppetEngineError) -> HTTPStatus:
    """Return the status of the nearest class of `error` that has one; 500 when none has."""
    for kind in type(error).__mro__:
        if issubclass(kind, PuppetEngineError) and kind in STATUSES:
            return STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def failure(
    status: int, problem: Problem, *, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the answer that tells of a problem."""
    body = Failure(error=problem).model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status_code=status, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Give every error of `app` an answer in the envelope."""
    app.exception_handler(PuppetEngineError)(_answer_ours)
    app.exception_handler(RequestValidationError)(_answer_invalid)
    app.exception_handler(HTTPException)(_answer_http)
    app.exception_handler(Exception)(_answer_unexpected)


async def _answer_ours(_request: Request, error: PuppetEngineError) -> JSONResponse:
    headers = {}
    if isinstance(error, RateLimitedError | CircuitOpenError | ModelBudgetError):
        headers["Retry-After"] = format_datetime(error.resets_at, usegmt=True)
    problem = Problem(type=type(error).__name__, message=str(error))
    return failure(status_of(error), problem, headers=headers)


async def _answer_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    # What was sent is left out: it may hold a key.
    details = [{"at": list(each["loc"]), "message": each["msg"]} for each in error.errors()]
    where = "; ".join(f"{'.'.join(map(str, each['at']))}: {each['message']}" for each in details)
    problem = Problem(type="ValidationError", message=where, details=details)
    return failure(HTTPStatus.UNPROCESSABLE_ENTITY, problem)


async def _answer_http(request: Request, error: HTTPException) -> JSONResponse:
    phrase = HTTPStatus(error.status_code).phrase
    message = f"{request.method} {request.url.path}: {error.detail}"
    problem = Problem(type=phrase.replace(" ", ""), message=message)
    return failure(error.status_code, problem, headers=dict(error.headers or {}))


async def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    problem = Problem(
        type="InternalServerError", message="something went wrong here; the server's log says what"
    )
    return failure(HTTPStatus.INTERNAL_SERVER_ERROR, problem)
