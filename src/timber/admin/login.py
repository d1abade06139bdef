"""One password for the site, guessed at most five times a minute, and the sessions it opens."""

import hmac
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates
from starlette_admin.auth import AdminUser, AuthProvider
from starlette_admin.exceptions import LoginFailed
from starlette_admin.helpers import index_url, safe_redirect_url
from typing_extensions import override

from timber.common.clock import Clock

COOKIE: Final = "timber_admin_session"
SESSION: Final = timedelta(hours=8)
"""How long somebody stays logged in."""
GUESSES: Final = 5
"""How many wrong passwords are looked at within a `PAUSE`; the right one is not, after them."""
PAUSE: Final = timedelta(minutes=1)


class Throttle:
    """Counts wrong guesses of all who guess, for there is one password."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._wrong: deque[datetime] = deque(maxlen=GUESSES)

    def seconds_to_wait(self) -> int:
        """Return how long no guess is looked at; 0: the next one is."""
        if len(self._wrong) < GUESSES:
            return 0
        left = self._wrong[0] + PAUSE - self._clock.now()
        return max(0, -int(-left.total_seconds() // 1))

    def guessed_wrong(self) -> None:
        self._wrong.append(self._clock.now())

    def guessed_right(self) -> None:
        self._wrong.clear()


class PasswordLogin(AuthProvider):
    """Lets in who knows the password; sessions end with the process, at logout, or in time."""

    def __init__(
        self, password: str, *, secret: str, clock: Clock, new_token: Callable[[], str]
    ) -> None:
        super().__init__()
        self._digest = sha256(password.encode()).digest()
        self._signer = Signer(secret, salt=COOKIE)
        self._clock = clock
        self._new_token = new_token
        self._throttle = Throttle(clock=clock)
        self._sessions: dict[str, datetime] = {}

    @override
    async def render_login(self, request: Request, templates: Jinja2Templates) -> Response:
        wait = self._throttle.seconds_to_wait()
        if request.method != "POST" or not wait:
            return await super().render_login(request, templates)
        return templates.TemplateResponse(
            request=request,
            name="login.html",
            context={"error": f"Too many wrong passwords: wait {wait} seconds."},
            status_code=429,
            headers={"Retry-After": str(wait)},
        )

    @override
    async def login(
        self, username: str, password: str, remember_me: bool, request: Request
    ) -> Response:
        if not hmac.compare_digest(sha256(password.encode()).digest(), self._digest):
            self._throttle.guessed_wrong()
            raise LoginFailed("Wrong password.")
        self._throttle.guessed_right()
        token = self._new_token()
        self._forget_old()
        self._sessions[token] = self._clock.now() + SESSION
        home = index_url(request)
        target = safe_redirect_url(request.query_params.get("next") or home, request, home)
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            COOKIE,
            self._signer.sign(token).decode(),
            max_age=int(SESSION.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    @override
    async def authenticate(self, request: Request) -> AdminUser | None:
        token = self._token(request)
        ends = self._sessions.get(token) if token else None
        if ends is None or ends <= self._clock.now():
            return None
        return AdminUser(username="Administrator")

    @override
    async def logout(self, request: Request) -> Response:
        self._sessions.pop(self._token(request) or "", None)
        response = RedirectResponse(index_url(request), status_code=303)
        response.delete_cookie(COOKIE)
        return response

    def _token(self, request: Request) -> str | None:
        try:
            return self._signer.unsign(request.cookies.get(COOKIE, "")).decode()
        except BadSignature:
            return None

    def _forget_old(self) -> None:
        now = self._clock.now()
        self._sessions = {token: ends for token, ends in self._sessions.items() if ends > now}
