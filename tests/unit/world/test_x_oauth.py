"""Nobody calls in another's name."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx2
import pytest
from tests.rehearsal_x import Stage, opened_stage, sign

from puppet_engine.core.clock import SystemClock, VirtualClock

ME = "/2/users/me"


@pytest.fixture
async def wall_clock() -> VirtualClock:
    return VirtualClock(SystemClock().now())


@pytest.fixture
async def stage(wall_clock: VirtualClock) -> AsyncGenerator[Stage]:
    async with opened_stage(wall_clock=wall_clock) as stage:
        yield stage


async def get_me(stage: Stage, headers: dict[str, str]) -> httpx2.Response:
    async with stage.browser() as browser:
        return await browser.get(ME, headers=headers)


async def test_a_good_signature_tells_who_calls(stage: Stage) -> None:
    keys = await stage.keys("ada")

    response = await stage.call("GET", ME, keys)

    assert response.status_code == 200
    assert response.json() == {"data": {"id": keys["id"], "name": "Ada", "username": "ada"}}


@pytest.mark.parametrize("name", ["api_key", "api_secret", "access_token", "access_token_secret"])
async def test_each_of_the_four_keys_has_to_be_right(stage: Stage, name: str) -> None:
    keys = await stage.keys("ada")

    response = await stage.call("GET", ME, keys | {name: "wrong"})

    assert response.status_code == 401
    assert response.json() == {
        "title": "Unauthorized",
        "detail": "Unauthorized",
        "type": "about:blank",
        "status": 401,
    }
    assert "x-rate-limit-limit" not in response.headers


async def test_the_app_of_one_account_cannot_act_for_another(stage: Stage) -> None:
    ada, bob = await stage.keys("ada"), await stage.keys("bob")
    mixed = ada | {name: bob[name] for name in ("access_token", "access_token_secret")}

    assert (await stage.call("GET", ME, mixed)).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer token", "OAuth", "OAuth nonsense", "OAuth a=b"])
async def test_without_a_signature_nobody_gets_in(stage: Stage, header: str) -> None:
    assert (await get_me(stage, {"Authorization": header})).status_code == 401


async def test_a_signature_for_another_address_is_worthless(stage: Stage) -> None:
    keys = await stage.keys("ada")

    for url in ("https://api.x.com/2/users/me", f"{stage.base_url}/2/tweets"):
        assert (await get_me(stage, sign(url, "GET", keys))).status_code == 401


async def test_a_signature_for_another_query_is_worthless(stage: Stage) -> None:
    keys = await stage.keys("ada")
    url = f"{stage.base_url}/2/tweets/search/recent"
    headers = sign(f"{url}?query=cats", "GET", keys)

    async with stage.browser() as browser:
        good = await browser.get(f"{url}?query=cats", headers=headers)
        bad = await browser.get(
            f"{url}?query=dogs", headers=sign(f"{url}?query=cats", "GET", keys)
        )

    assert (good.status_code, bad.status_code) == (200, 401)


async def test_only_hmac_sha1_is_taken(stage: Stage) -> None:
    keys = await stage.keys("ada")

    headers = sign(f"{stage.base_url}{ME}", "GET", keys, signature_method="PLAINTEXT")

    assert (await get_me(stage, headers)).status_code == 401


async def test_a_request_cannot_be_played_again(stage: Stage) -> None:
    keys = await stage.keys("ada")
    headers = sign(f"{stage.base_url}{ME}", "GET", keys)

    first, second = await get_me(stage, headers), await get_me(stage, headers)

    assert (first.status_code, second.status_code) == (200, 401)


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
async def test_a_request_is_good_for_five_minutes_of_real_time(
    stage: Stage, wall_clock: VirtualClock, seconds: int, status: int
) -> None:
    keys = await stage.keys("ada")
    stamp = str(int(wall_clock.now().timestamp()) + seconds)
    headers = sign(f"{stage.base_url}{ME}", "GET", keys, timestamp=stamp)

    assert (await get_me(stage, headers)).status_code == status


async def test_a_request_stamped_ahead_cannot_be_played_again_while_it_is_good(
    stage: Stage, wall_clock: VirtualClock
) -> None:
    keys = await stage.keys("ada")
    stamp = str(int(wall_clock.now().timestamp()) + 290)
    headers = sign(f"{stage.base_url}{ME}", "GET", keys, timestamp=stamp)
    await get_me(stage, headers)

    wall_clock.advance(timedelta(seconds=580))

    assert (await get_me(stage, headers)).status_code == 401


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1.5", "٣"])
async def test_a_stamp_that_is_no_number_is_refused(stage: Stage, stamp: str) -> None:
    keys = await stage.keys("ada")
    headers = sign(f"{stage.base_url}{ME}", "GET", keys, timestamp=stamp)

    assert (await get_me(stage, headers)).status_code == 401


async def test_a_forged_request_uses_up_nobodys_nonce(stage: Stage) -> None:
    keys = await stage.keys("ada")
    url = f"{stage.base_url}{ME}"
    forged = sign(url, "GET", keys | {"api_secret": "guess"}, nonce="n0")

    await get_me(stage, forged)

    assert (await get_me(stage, sign(url, "GET", keys, nonce="n0"))).status_code == 200
