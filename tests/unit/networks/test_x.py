"""X as one of the networks: how it is made, and what it asks of a client."""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name

import pytest
from hypothesis import given, settings, strategies as st
from tests.rehearsal_x import opened_stage

from puppet_engine.core.clock import Clock, SystemClock
from puppet_engine.core.errors import MissingCredentialError, NetworkRefusedError
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post
from puppet_engine.networks import x
from puppet_engine.networks.base import SocialNetwork


class TwoMethodClient:
    """No more of a client than the guides mock."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    async def post_tweet(self, text: str, *, reply_to: str | None = None) -> str:
        self.calls.append((text, reply_to))
        return "tweet_123"

    async def get_mentions(self, *, since_id: str | None = None) -> list[Post]:
        self.calls.append((since_id,))
        return []


async def test_publishing_and_mentions_need_two_methods_of_a_client_only() -> None:
    client = TwoMethodClient()
    network = x.XNetwork(client)  # type: ignore[arg-type]

    published = await network.publish("hello", in_reply_to=PostId("7"))
    mentions = await network.mentions(since=PostId("8"))

    assert (published, mentions) == ("tweet_123", [])
    assert client.calls == [("hello", "7"), ("8",)]


def registered_factory() -> Callable[[Mapping[str, str], Clock], SocialNetwork]:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    factory: Callable[[Mapping[str, str], Clock], SocialNetwork] = resolve_name(
        project["entry-points"]["puppet_engine.networks"]["x"]
    )
    return factory


async def test_the_plug_in_makes_a_network_that_works_where_the_account_says() -> None:
    create = registered_factory()

    async with opened_stage(behind_socket=True) as stage:
        account = await stage.keys("ada") | {"base_url": stage.base_url}
        network = create(account, stage.clock)
        published = await network.publish("hello")
        await network.aclose()
        post = stage.site.posts.with_id(int(published))

    assert network.name == "x"
    assert post is not None
    assert post.text == "hello"


async def test_an_account_without_keys_is_an_error_only_when_it_is_used() -> None:
    network = x.create({}, SystemClock())

    with pytest.raises(MissingCredentialError, match="api_key, api_secret, access_token"):
        await network.publish("hello")


@settings(deadline=None)
@given(st.text())
def test_a_search_is_never_too_long_and_holds_nothing_but_words(query: str) -> None:
    words = x.plain_words(query)

    assert len(words) <= 512
    assert all(re.fullmatch(r'"\w+"', term) for term in words.split())


def test_a_long_search_loses_whole_words_at_its_end() -> None:
    words = x.plain_words(" ".join(["abcdefgh"] * 60)).split()

    assert set(words) == {'"abcdefgh"'}
    assert len(words) == 46


async def test_an_account_whose_bio_does_not_say_that_a_program_speaks_says_nothing() -> None:
    async with opened_stage() as stage:
        client = await stage.client("ada")
        await stage.site.sign_up("ada", "Ada", description="Just a girl from Leeds.")
        network = x.XNetwork(client, clock=stage.clock)

        again = f"{stage.clock.now() + x.LOOKS_AGAIN_AFTER:%H:%M} UTC"
        with pytest.raises(NetworkRefusedError, match=f"bio of @ada does not say .* {again}"):
            await network.publish("hello")

        assert list(stage.site.posts.newest()) == []


async def test_a_bio_that_was_mended_is_looked_at_again_by_the_same_process() -> None:
    async with opened_stage() as stage:
        client = await stage.client("ada")
        await stage.site.sign_up("ada", "Ada", description="Just a girl from Leeds.")
        network = x.XNetwork(client, clock=stage.clock)
        with pytest.raises(NetworkRefusedError, match="bio of @ada"):
            await network.publish("hello")
        await stage.site.sign_up("ada", "Ada", description="Leeds. An AI persona.")

        stage.clock.advance(x.LOOKS_AGAIN_AFTER - timedelta(seconds=1))
        with pytest.raises(NetworkRefusedError, match="bio of @ada"):
            await network.publish("too early")
        stage.clock.advance(timedelta(seconds=1))
        published = await network.publish("hello again")

        assert [post.id for post in stage.site.posts.newest()] == [int(published)]
