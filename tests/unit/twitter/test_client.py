"""The client of X against the rehearsal world, and against servers that misbehave."""

import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from fastapi import FastAPI
from tests.rehearsal_x import START, Stage, opened_stage

from puppet_engine.core.clock import VirtualClock
from puppet_engine.core.errors import (
    MissingCredentialError,
    NetworkRefusedError,
    NetworkUnavailableError,
    RateLimitedError,
)
from puppet_engine.twitter.client import CREDENTIALS, TwitterClient
from puppet_engine.world.server import LoopbackServer
from puppet_engine.world.x.journal import InMemoryJournal
from puppet_engine.world.x.limits import LIMITS

KEYS = {name: f"{name}-of-a-test" for name in CREDENTIALS}


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    async with opened_stage() as stage:
        yield stage


def answering(answer: Callable[[httpx2.Request], httpx2.Response]) -> TwitterClient:
    """Return a client of a server that gives one answer to everything."""
    clock = VirtualClock(START)
    return TwitterClient(KEYS, clock=clock, transport=httpx2.MockTransport(answer))


# ------------------------------------------------------------------ keys


def test_importing_the_client_loads_neither_tweepy_nor_its_http_stack() -> None:
    code = (
        "import sys, puppet_engine.twitter.client, puppet_engine.networks.x;"
        "print([name for name in ('tweepy', 'aiohttp', 'oauthlib', 'httpx2')"
        " if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert shown.stdout.strip() == b"[]"


async def test_without_keys_it_can_be_built_and_names_what_is_missing_when_used() -> None:
    client = TwitterClient({"api_key": "k", "access_token": ""})

    with pytest.raises(MissingCredentialError) as missing:
        await client.post_tweet("hello")

    assert missing.value.names == ("api_secret", "access_token", "access_token_secret")
    await client.aclose()


async def test_keys_are_in_no_repr_no_log_and_no_traceback(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    keys = await stage.keys("ada")
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    good, bad = await stage.client("ada"), await stage.client("ada", api_secret="wrong-secret")
    pulled = TwitterClient(keys, base_url="http://127.0.0.1:1")

    await good.post_tweet("hello")
    with pytest.raises(NetworkRefusedError) as refused:
        await bad.post_tweet("hello again")
    with pytest.raises(NetworkUnavailableError) as unreachable:
        await pulled.post_tweet("hello again")
    await pulled.aclose()

    shown = [repr(good), caplog.text]
    shown += ["".join(traceback.format_exception(one.value)) for one in (refused, unreachable)]
    for secret in (*(keys[name] for name in CREDENTIALS), "wrong-secret"):
        assert secret not in "\n".join(shown)


async def test_a_wrong_key_is_refused(stage: Stage) -> None:
    client = await stage.client("ada", access_token_secret="wrong")

    with pytest.raises(NetworkRefusedError, match=r"X refused POST /2/tweets with 401: Unauth"):
        await client.post_tweet("hello")


# ------------------------------------------------------------------ what it does


async def test_a_post_comes_back_as_it_was_written(stage: Stage) -> None:
    text = "1 < 2 & &amp; stays, see https://example.org/?a=1&copy=2 and https://b.example 🦤"
    client = await stage.client("ada")

    post_id = await client.post_tweet(text)

    assert (await client.get_tweet(post_id)).text == text
    assert [post.text for post in await client.get_own_posts(not_before=START)] == [text]


async def test_a_reply_is_posted_as_one(stage: Stage) -> None:
    ada, bob = await stage.client("ada"), await stage.client("bob")
    question = await ada.post_tweet("@bob tea?")

    answer = await bob.get_tweet(await bob.post_tweet("yes", reply_to=question))

    assert answer.in_reply_to == answer.conversation_id == question


async def test_it_knows_who_it_is_and_asks_only_once(stage: Stage) -> None:
    client = await stage.client("ada")

    me = await client.get_me()
    await client.get_mentions()
    await client.get_me()

    assert (me.username, me.name, me.id) == ("ada", "Ada", (await stage.keys("ada"))["id"])
    limit = LIMITS["GET /2/users/me"]
    assert client.rate_limits["GET /2/users/me"] == {
        "limit": limit,
        "remaining": limit - 1,
        "reset": int((START + timedelta(minutes=15)).timestamp()),
    }


async def test_the_rate_limits_of_all_posts_are_kept_as_one(stage: Stage) -> None:
    client = await stage.client("ada")
    ids = [await client.post_tweet(text) for text in ("one", "two")]

    for post_id in ids:
        await client.get_tweet(post_id)

    remaining = LIMITS["GET /2/tweets/{post_id}"] - 2
    assert client.rate_limits["GET /2/tweets/:id"]["remaining"] == remaining


async def test_a_post_that_does_not_exist_is_refused_by_name(stage: Stage) -> None:
    client = await stage.client("ada")

    with pytest.raises(NetworkRefusedError, match="'404'"):
        await client.get_tweet("404")


async def test_a_deleted_post_ends_a_thread(stage: Stage) -> None:
    ada, bob = await stage.client("ada"), await stage.client("bob")
    first = await ada.post_tweet("@bob one")
    second = await bob.post_tweet("two", reply_to=first)
    third = await bob.get_tweet(await bob.post_tweet("three", reply_to=second))

    await ada.delete_tweet(first)

    assert [post.id for post in await ada.get_thread(third)] == [second]


async def test_a_long_absence_is_caught_up_with_page_by_page(stage: Stage) -> None:
    client = await stage.client("ada")
    await stage.keys("bob")
    bob = stage.site.accounts.with_handle("bob")
    assert bob is not None
    ids = [str((await stage.site.publish(bob, f"@ada {number}")).id) for number in range(250)]

    newer = await client.get_mentions(since_id=ids[0])
    newest = await client.get_mentions()

    assert [post.id for post in newer] == ids[1:]
    assert [post.id for post in newest] == ids[-100:]


async def test_a_query_goes_out_percent_encoded_as_it_is_signed() -> None:
    queries = []

    def empty(request: httpx2.Request) -> httpx2.Response:
        queries.append(request.url.query)
        return httpx2.Response(200, json={"meta": {"result_count": 0}})

    await answering(empty).search_posts("from:ada ~ñ&+")

    assert b"query=from%3Aada%20~%C3%B1%26%2B" in queries[0].split(b"&")


async def test_the_same_text_twice_in_a_day_is_refused(stage: Stage) -> None:
    client = await stage.client("ada")
    await client.post_tweet("good morning")

    with pytest.raises(NetworkRefusedError, match="duplicate content"):
        await client.post_tweet("good morning")


async def test_beyond_the_limit_it_says_until_when(stage: Stage) -> None:
    client = await stage.client("ada")
    limit = LIMITS["POST /2/tweets"]
    for number in range(limit):
        await client.post_tweet(f"post {number}")

    with pytest.raises(RateLimitedError) as limited:
        await client.post_tweet("one too many")
    stage.clock.advance(timedelta(minutes=15))

    assert limited.value.resets_at == START + timedelta(minutes=15)
    assert await client.post_tweet("one too many")


# ------------------------------------------------------------------ what can go wrong


async def test_a_pulled_cable_is_unavailable_and_a_mended_one_works() -> None:
    journal = InMemoryJournal()
    async with opened_stage(journal=journal) as stage:
        server = LoopbackServer(stage.app)
        stage.base_url = await server.start()
        client = await stage.client("ada")
        post_id = await client.post_tweet("before")

        await server.stop()
        with pytest.raises(NetworkUnavailableError, match="no answer to POST /2/tweets"):
            await client.post_tweet("during")

    async with opened_stage(journal=journal) as again:
        server = LoopbackServer(again.app, port=int(stage.base_url.rpartition(":")[2]))
        await server.start()
        posts = await client.get_own_posts(not_before=START)
        await client.aclose()
        await server.stop()

    assert [post.id for post in posts] == [post_id]


async def test_a_server_that_hangs_is_given_up() -> None:
    app = FastAPI()

    @app.post("/2/tweets")
    async def hang() -> None:
        await asyncio.Event().wait()

    server = LoopbackServer(app, grace_seconds=0)
    client = TwitterClient(KEYS, base_url=await server.start(), timeout_seconds=0.05)

    with pytest.raises(NetworkUnavailableError, match="TimeoutError"):
        await client.post_tweet("hello")

    await client.aclose()
    await server.stop()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302, 408])
async def test_an_html_page_instead_of_an_answer_is_unavailable_and_sent_once(
    status: int,
) -> None:
    requests = []

    def overloaded(request: httpx2.Request) -> httpx2.Response:
        requests.append(request.method)
        return httpx2.Response(status, html="<html>Over capacity</html>")

    with pytest.raises(NetworkUnavailableError, match=f"X answered {status} to POST /2/tweets"):
        await answering(overloaded).post_tweet("hello")

    assert requests == ["POST"]


@pytest.mark.parametrize(
    "response",
    [
        httpx2.Response(200, html="<html>ok</html>"),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={}),
        httpx2.Response(200, json={"data": {"text": "no id"}}),
        httpx2.Response(200, content=b"\xff"),
    ],
)
async def test_an_answer_that_cannot_be_read_leaves_it_unknown_what_happened(
    response: httpx2.Response,
) -> None:
    with pytest.raises(NetworkUnavailableError):
        await answering(lambda _: response).post_tweet("hello")


async def test_a_lost_connection_is_unavailable_and_sent_once() -> None:
    requests = []

    def lost(request: httpx2.Request) -> httpx2.Response:
        requests.append(request.method)
        raise httpx2.ReadError("connection reset")

    with pytest.raises(NetworkUnavailableError, match="connection reset"):
        await answering(lost).post_tweet("hello")

    assert requests == ["POST"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"detail": "No credits left."}, "No credits left."),
        ({"errors": [{"code": 88, "message": "Old form."}]}, "Old form."),
        ({"detail": "Invalid.", "errors": [{"message": "text: too odd"}]}, "text: too odd"),
        ({"errors": ["odd"]}, "Payment Required"),
        ([], "Payment Required"),
        ("<html>", "Payment Required"),
    ],
)
async def test_a_refusal_gives_the_reason_in_whatever_form_it_comes(
    body: object, reason: str
) -> None:
    with pytest.raises(NetworkRefusedError, match=reason) as refused:
        await answering(lambda _: httpx2.Response(402, json=body)).post_tweet("hello")

    assert not isinstance(refused.value, RateLimitedError)


@pytest.mark.parametrize(
    ("headers", "resets_at"),
    [
        ({"x-rate-limit-reset": "1800000000"}, datetime.fromtimestamp(1_800_000_000, UTC)),
        ({"x-rate-limit-reset": "soon"}, START + timedelta(minutes=15)),
        ({}, START + timedelta(minutes=15)),
    ],
)
async def test_without_a_reset_in_the_headers_a_whole_window_is_waited(
    headers: dict[str, str], resets_at: datetime
) -> None:
    client = answering(lambda _: httpx2.Response(429, headers=headers, text="slow down"))

    with pytest.raises(RateLimitedError) as limited:
        await client.get_mentions()

    assert limited.value.resets_at == resets_at


async def test_a_post_of_an_account_that_is_gone_is_still_read() -> None:
    body = {
        "data": {
            "id": "7",
            "author_id": "3",
            "text": "bye",
            "created_at": "2026-03-01T09:00:00.000Z",
            "conversation_id": "7",
        }
    }

    post = await answering(lambda _: httpx2.Response(200, json=body)).get_tweet("7")

    assert (post.author_id, post.author_handle) == ("3", "3")
