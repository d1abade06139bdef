"""What Restate sees of a worker: an object for each agent, and a place to leave wake-ups.

Nothing is kept in Restate but wake-ups: a turn is one transaction in the database,
and a wake-up whose event is over does nothing. So nothing needs a journal.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import restate
import restate.server
from starlette.types import ASGIApp

Wake = Callable[[str, int], Awaitable[None]]
"""Takes the event of an agent's (or nobody's, "") and a sequence, and the agent's before it."""

TURN_LIMIT: Final = timedelta(minutes=15)
"""How long a turn may take before Restate gives its worker up and asks another."""

AGAIN: Final = restate.InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=50),
    exponentiation_factor=2.0,
    max_interval=timedelta(seconds=1),
    max_attempts=1_000_000,
)
"""A wake-up whose worker died, or whose worker has no database, is given to another at once.

However often there was nobody to take it, it is tried again within a second: so long an agent
stands still at most when there is somebody again.
"""


def endpoint(wake: Wake, *, identity_key: str | None) -> ASGIApp:
    """Return what a worker serves to Restate."""
    options: dict[str, Any] = {
        "invocation_retry_policy": AGAIN,
        "inactivity_timeout": TURN_LIMIT,
        "abort_timeout": timedelta(minutes=1),
        "journal_retention": timedelta(0),
        "idempotency_retention": timedelta(minutes=10),
    }
    agents = restate.VirtualObject("Agent", ingress_private=True, **options)
    nobody = restate.Service("Nobody", ingress_private=True, **options)
    wakeups = restate.Service("Wakeups", **options)

    @agents.handler("happen")
    async def happen_to_agent(ctx: restate.ObjectContext, sequence: int) -> None:
        await wake(ctx.key(), sequence)

    @nobody.handler("happen")
    async def happen_to_nobody(_ctx: restate.Context, sequence: int) -> None:
        await wake("", sequence)

    @wakeups.handler("hand_over")
    async def hand_over(ctx: restate.Context, left: list[dict[str, Any]]) -> None:
        for wakeup in left:
            how: dict[str, Any] = {
                "arg": wakeup["sequence"],
                "send_delay": timedelta(milliseconds=wakeup["delay_ms"]) or None,
                "idempotency_key": wakeup["key"],
            }
            if wakeup["agent_id"]:
                ctx.object_send(happen_to_agent, key=wakeup["agent_id"], **how)
            else:
                ctx.service_send(happen_to_nobody, **how)

    keys = [identity_key] if identity_key else None
    app: ASGIApp = restate.app(
        [agents, nobody, wakeups], protocol="request_response", identity_keys=keys
    )
    return app


def leave_signals_alone() -> None:
    """Keep Restate's library from taking SIGTERM over: who runs a worker ends it in good order.

    At its first request it would replace the handler of the running loop.
    """
    hooks = restate.server._shutdown_hooks  # noqa: SLF001 - it has no other way to say so
    hooks.setdefault(asyncio.get_running_loop(), {}).setdefault(signal.SIGTERM, [])
