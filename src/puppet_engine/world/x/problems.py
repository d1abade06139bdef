"""Refusals as X words them: problem details in JSON."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi.responses import JSONResponse

_PROBLEMS: Final = "https://api.twitter.com/2/problems"


class ProblemError(Exception):
    """A request is refused; `response()` is what the caller gets."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        kind: str = "about:blank",
        errors: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, Any] = {
            "title": title,
            "detail": detail,
            "type": kind,
            "status": status,
        }
        if errors:
            self.body["errors"] = list(errors)

    def response(self) -> JSONResponse:
        """Return the answer to the refused request."""
        return JSONResponse(self.body, self.status, media_type="application/problem+json")


def invalid_request(message: str) -> ProblemError:
    """Return the problem of a request that breaks the schema."""
    return ProblemError(
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        kind=f"{_PROBLEMS}/invalid-request",
        errors=[{"message": message, "parameters": {}}],
    )


def unauthorized() -> ProblemError:
    """Return the problem of a request whose signature does not prove who sends it."""
    return ProblemError(401, "Unauthorized", "Unauthorized")


def forbidden(detail: str) -> ProblemError:
    """Return the problem of a request that the caller may not make."""
    return ProblemError(403, "Forbidden", detail)


def too_many_requests() -> ProblemError:
    """Return the problem of a request beyond the limit of its window."""
    return ProblemError(429, "Too Many Requests", "Too Many Requests")


def not_found(resource: str, parameter: str, value: str) -> dict[str, Any]:
    """Return the entry of `errors`, in an answer of status 200, for a thing that is missing."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}/resource-not-found",
    }
