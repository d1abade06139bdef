"""What goes wrong on the wire to a model, in our words. Pure."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from puppet_engine.core.errors import LLMError, LLMRefusedError, LLMUnavailableError
from puppet_engine.llm.endpoints import Endpoint

_TRY_LATER: Final = {408, 409, 425, 429}
"""Client errors that say nothing against the request itself."""

_UNAUTHORIZED: Final = 401
_BROKEN: Final = 500
_NEVER_SENT: Final = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"}
"""What HTTP clients raise before a byte of a request is under way."""


def status_error(
    endpoint: Endpoint, status: int, headers: Mapping[str, str], told: str
) -> LLMError:
    """Return what an answer with an error's status means; `told` is what the server said."""
    if status == _UNAUTHORIZED and endpoint.key_name:
        return LLMRefusedError(
            f"{endpoint.where} does not know the key: check {endpoint.key_name}: {told}"
        )
    if status in _TRY_LATER or status >= _BROKEN:
        return LLMUnavailableError(
            f"{endpoint.where} refused the request: {told}", retry_after=retry_after(headers)
        )
    return LLMRefusedError(f"{endpoint.where} refused the request: {told}")


def timeout_error(endpoint: Endpoint, seconds: float, cause: BaseException | None) -> LLMError:
    """Return that no answer came in time."""
    if was_never_sent(cause):
        return LLMUnavailableError(f"{endpoint.where} cannot be reached within {seconds:g} s")
    return LLMUnavailableError(
        f"{endpoint.where} gave no answer within {seconds:g} s; it may be billed all the same",
        may_be_billed=True,
    )


def connection_error(endpoint: Endpoint, cause: BaseException) -> LLMError:
    """Return that a connection could not be made, or was cut."""
    if was_never_sent(cause):
        return LLMUnavailableError(f"{endpoint.where} cannot be reached: {cause}")
    return LLMUnavailableError(
        f"{endpoint.where} cannot be reached any more, it hung up "
        f"({f'{cause}' or type(cause).__name__}); the call may be billed all the same",
        may_be_billed=True,
    )


def garbled_error(endpoint: Endpoint, what: object) -> LLMError:
    """Return that an answer came which is none."""
    return LLMUnavailableError(
        f"{endpoint.where} answered what cannot be understood ({what}); "
        "check that its address is that of the protocol, and not of a page",
        may_be_billed=True,
    )


def was_never_sent(cause: BaseException | None) -> bool:
    """Return whether an error of an HTTP client says that no request has gone out."""
    while cause is not None:
        if type(cause).__name__ in _NEVER_SENT or isinstance(cause, ConnectionRefusedError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds a server wants to be asked again; None when it does not say.

    `Retry-After` is a number of seconds, or a moment (RFC 9110, 10.2.3), which is reckoned from
    the `Date` of the same answer, so that no clock of ours matters.
    """
    told = headers.get("retry-after", "").strip()
    try:
        seconds = float(told)
    except ValueError:
        seconds = _until(told, headers.get("date", ""))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(moment: str, now: str) -> float:
    try:
        return max(
            0.0, (parsedate_to_datetime(moment) - parsedate_to_datetime(now)).total_seconds()
        )
    except (TypeError, ValueError):
        return math.nan
