"""Where agents get what they need to live in the rehearsal world: over the wire, as anybody."""

import httpx2

from puppet_engine.core.errors import NetworkRefusedError, NetworkUnavailableError


async def sign_up(world_url: str, *, handle: str, name: str) -> dict[str, str]:
    """Open an account on the world's X, or find it again; return its keys, and where X is.

    Raises:
        NetworkRefusedError: the world does not take such a handle or name.
        NetworkUnavailableError: the world does not answer.

    """
    wanted = {"handle": handle, "name": name[:50]}
    try:
        async with httpx2.AsyncClient(base_url=world_url) as client:
            answer = await client.post("/world/x/accounts", json=wanted)
    except httpx2.HTTPError as error:
        raise NetworkUnavailableError(f"the world at {world_url} does not answer") from error
    if answer.is_error:
        raise NetworkRefusedError(f"the world opens no account for @{handle}: {answer.text}")
    return {**answer.json(), "base_url": world_url}
