"""What a worker tells Restate of how its wake-ups are to be tried again."""

import httpx2

from puppet_engine.events.restate_objects import endpoint

MANIFEST = "application/vnd.restate.endpointmanifest.v4+json"


async def wake(_agent_id: str, _sequence: int) -> None:
    """Take nothing."""


async def test_a_wake_up_that_nobody_took_is_tried_again_within_a_second_for_ever() -> None:
    transport = httpx2.ASGITransport(endpoint(wake, identity_key=None))

    async with httpx2.AsyncClient(transport=transport, base_url="http://worker") as client:
        told = await client.get("/discover", headers={"accept": MANIFEST})

    for service in told.json()["services"]:
        assert service["retryPolicyMaxInterval"] <= 1000, service["name"]
        assert service["retryPolicyInitialInterval"] <= 50, service["name"]
        assert service["retryPolicyMaxAttempts"] >= 1_000_000, service["name"]
