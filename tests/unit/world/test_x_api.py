"""X API v2 on the wire, as its clients see it."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from tests.rehearsal_x import START, Stage, opened_stage

from puppet_engine.world.x.journal import InMemoryJournal
from puppet_engine.world.x.limits import LIMITS

RATE_HEADERS = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    async with opened_stage() as stage:
        yield stage


async def posted(stage: Stage, handle: str, text: str, **body: Any) -> str:
    keys = await stage.keys(handle)
    response = await stage.call("POST", "/2/tweets", keys, body={"text": text} | body)
    assert response.status_code == 201, response.text
    new_id: str = response.json()["data"]["id"]
    return new_id


# ------------------------------------------------------------------ the desk


async def test_the_desk_gives_the_same_keys_again(stage: Stage) -> None:
    first, second = await stage.keys("ada"), await stage.keys("ADA")

    assert first == second
    assert set(first) == {
        "id",
        "handle",
        "api_key",
        "api_secret",
        "access_token",
        "access_token_secret",
    }


@pytest.mark.parametrize("body", [{"handle": "a b", "name": "Ada"}, {"handle": "ada"}, []])
async def test_the_desk_refuses_what_is_no_account(stage: Stage, body: object) -> None:
    async with stage.browser() as browser:
        response = await browser.post("/world/x/accounts", json=body)

    assert response.status_code == 400
    assert response.json()["title"] == "Invalid Request"


async def test_a_bio_can_be_changed_is_shown_when_asked_for_and_survives() -> None:
    journal = InMemoryJournal()
    async with opened_stage(journal=journal) as stage:
        keys = await stage.keys("ada")
        await stage.site.sign_up("ada", "Ada", description="A program. Likes tea.")
        bare = await stage.call("GET", "/2/users/me", keys)
    async with opened_stage(journal=journal) as stage:
        params = {"user.fields": "description"}
        shown = await stage.call("GET", "/2/users/me", keys, params=params)

    assert "description" not in bare.json()["data"]
    assert shown.json()["data"]["description"] == "A program. Likes tea."


# ------------------------------------------------------------------ posting


async def test_a_new_post_is_answered_with_its_id_and_text(stage: Stage) -> None:
    keys = await stage.keys("ada")

    response = await stage.call("POST", "/2/tweets", keys, body={"text": "hello"})

    data = response.json()["data"]
    assert response.status_code == 201
    assert data == {"id": data["id"], "text": "hello", "edit_history_tweet_ids": [data["id"]]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": 1},
        {"text": "a", "colour": "red"},
        {"text": "a", "reply": {}},
        {"text": "a", "reply": {"in_reply_to_tweet_id": "x"}},
        [],
        "text",
    ],
)
async def test_a_post_that_breaks_the_schema_is_an_invalid_request(
    stage: Stage, body: object
) -> None:
    response = await stage.call("POST", "/2/tweets", await stage.keys("ada"), body=body)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "https://api.twitter.com/2/problems/invalid-request"
    assert response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": "a" * 281}, "not permitted"),
        ({"text": "said before"}, "duplicate content"),
        ({"text": "a", "reply": {"in_reply_to_tweet_id": "1"}}, "deleted or not visible"),
        ({"text": "a", "quote_tweet_id": "1"}, "not available"),
    ],
)
async def test_a_post_against_the_rules_is_forbidden(
    stage: Stage, body: dict[str, Any], reason: str
) -> None:
    await posted(stage, "ada", "said before")

    response = await stage.call("POST", "/2/tweets", await stage.keys("ada"), body=body)

    assert response.status_code == 403
    assert reason in response.json()["detail"]


async def test_a_text_may_come_again_the_next_day_or_from_somebody_else(stage: Stage) -> None:
    await posted(stage, "ada", "good morning")
    await posted(stage, "bob", "good morning")

    stage.clock.advance(timedelta(hours=24))

    await posted(stage, "ada", "good morning")


async def test_only_a_summoned_account_may_reply(stage: Stage) -> None:
    plain = await posted(stage, "ada", "a thought")
    summons = await posted(stage, "ada", "@bob what do you think?")
    bob = await stage.keys("bob")

    refused = await stage.call(
        "POST",
        "/2/tweets",
        bob,
        body={"text": "well", "reply": {"in_reply_to_tweet_id": plain}},
    )
    await posted(stage, "bob", "well", reply={"in_reply_to_tweet_id": summons})

    assert refused.status_code == 403
    assert "not been mentioned" in refused.json()["detail"]


async def test_a_post_can_be_deleted_by_its_author_only(stage: Stage) -> None:
    post_id = await posted(stage, "ada", "oops")
    path = f"/2/tweets/{post_id}"

    theirs = await stage.call("DELETE", path, await stage.keys("bob"))
    mine = await stage.call("DELETE", path, await stage.keys("ada"))
    again = await stage.call("DELETE", path, await stage.keys("ada"))

    assert (theirs.status_code, mine.status_code) == (403, 200)
    assert mine.json() == {"data": {"deleted": True}}
    assert again.json() == {"data": {"deleted": False}}


# ------------------------------------------------------------------ reading


async def test_fields_and_expansions_show_what_was_asked_for(stage: Stage) -> None:
    ada, bob = await stage.keys("ada"), await stage.keys("bob")
    question = await posted(stage, "ada", "@bob tea?")
    answer = await posted(stage, "bob", "yes", reply={"in_reply_to_tweet_id": question})
    params = {
        "expansions": "author_id,referenced_tweets.id",
        "tweet.fields": "created_at,conversation_id,referenced_tweets,in_reply_to_user_id",
        "user.fields": "created_at",
    }

    response = await stage.call("GET", f"/2/tweets/{answer}", ada, params=params)

    moment = "2026-03-01T09:00:00.000Z"
    assert response.json() == {
        "data": {
            "id": answer,
            "text": "yes",
            "edit_history_tweet_ids": [answer],
            "created_at": moment,
            "conversation_id": question,
            "in_reply_to_user_id": ada["id"],
            "referenced_tweets": [{"type": "replied_to", "id": question}],
        },
        "includes": {
            "users": [{"id": bob["id"], "name": "Bob", "username": "bob", "created_at": moment}],
            "tweets": [
                {
                    "id": question,
                    "text": "@bob tea?",
                    "edit_history_tweet_ids": [question],
                    "created_at": moment,
                    "conversation_id": question,
                }
            ],
        },
    }


async def test_text_is_escaped_and_its_links_are_shortened(stage: Stage) -> None:
    keys = await stage.keys("ada")
    post_id = await posted(stage, "ada", "a<b & https://example.org/?a=1&b=2 !")

    response = await stage.call(
        "GET", f"/2/tweets/{post_id}", keys, params={"tweet.fields": "entities"}
    )

    data = response.json()["data"]
    (link,) = data["entities"]["urls"]
    assert data["text"] == f"a&lt;b &amp; {link['url']} !"
    assert link["url"].startswith("https://t.co/")
    assert link["expanded_url"] == "https://example.org/?a=1&b=2"


async def test_a_missing_post_is_an_error_in_a_good_answer(stage: Stage) -> None:
    response = await stage.call("GET", "/2/tweets/404", await stage.keys("ada"))

    assert response.status_code == 200
    assert response.json() == {
        "errors": [
            {
                "value": "404",
                "detail": "Could not find tweet with id: [404].",
                "title": "Not Found Error",
                "resource_type": "tweet",
                "parameter": "id",
                "resource_id": "404",
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
        ]
    }


@pytest.mark.parametrize(
    "path",
    [
        "/2/users/404",
        "/2/users/by/username/nobody",
        "/2/users/404/mentions",
        "/2/users/404/tweets",
    ],
)
async def test_a_missing_account_is_an_error_in_a_good_answer(stage: Stage, path: str) -> None:
    response = await stage.call("GET", path, await stage.keys("ada"))

    assert response.status_code == 200
    assert response.json()["errors"][0]["resource_type"] == "user"
    assert "data" not in response.json()


async def test_several_posts_are_looked_up_at_once_and_the_missing_are_named(
    stage: Stage,
) -> None:
    keys = await stage.keys("ada")
    first, second = await posted(stage, "ada", "one"), await posted(stage, "ada", "two")

    response = await stage.call(
        "GET", "/2/tweets", keys, params={"ids": f"{second},404,{first},{second}"}
    )

    assert [post["id"] for post in response.json()["data"]] == [second, first]
    assert [error["value"] for error in response.json()["errors"]] == ["404"]


async def test_an_account_is_found_by_id_and_by_name(stage: Stage) -> None:
    ada, bob = await stage.keys("ada"), await stage.keys("bob")
    expected = {"data": {"id": bob["id"], "name": "Bob", "username": "bob"}}

    by_id = await stage.call("GET", f"/2/users/{bob['id']}", ada)
    by_name = await stage.call("GET", "/2/users/by/username/BOB", ada)

    assert by_id.json() == by_name.json() == expected


async def test_an_empty_list_has_no_data(stage: Stage) -> None:
    keys = await stage.keys("ada")

    response = await stage.call("GET", f"/2/users/{keys['id']}/mentions", keys)

    assert response.json() == {"meta": {"result_count": 0}}


async def test_a_timeline_can_be_cut_by_time(stage: Stage) -> None:
    keys = await stage.keys("ada")
    ids = []
    for number in range(4):
        ids.append(await posted(stage, "ada", f"post {number}"))
        stage.clock.advance(timedelta(hours=1))
    window = {
        "start_time": (START + timedelta(hours=1)).isoformat(),
        "end_time": (START + timedelta(hours=3)).isoformat(),
    }

    response = await stage.call("GET", f"/2/users/{keys['id']}/tweets", keys, params=window)

    assert [post["id"] for post in response.json()["data"]] == [ids[2], ids[1]]


async def test_search_reaches_back_seven_days(stage: Stage) -> None:
    keys = await stage.keys("ada")
    await posted(stage, "ada", "old cat")
    stage.clock.advance(timedelta(days=5))
    recent = await posted(stage, "ada", "young cat")
    stage.clock.advance(timedelta(days=3))

    response = await stage.call(
        "GET", "/2/tweets/search/recent", keys, params={"query": "cat -is:retweet"}
    )

    assert [post["id"] for post in response.json()["data"]] == [recent]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/2/tweets/search/recent", {"query": "a", "max_results": "9"}),
        ("/2/tweets/search/recent", {}),
        ("/2/users/1/mentions", {"max_results": "101"}),
        ("/2/users/1/tweets", {"since_id": "x"}),
        ("/2/users/1/tweets", {"start_time": "yesterday"}),
        ("/2/users/1/tweets", {"colour": "red"}),
        ("/2/users/x/tweets", {}),
        ("/2/tweets", {"ids": "1,x"}),
        ("/2/tweets", {"ids": ",".join(map(str, range(101)))}),
    ],
)
async def test_a_parameter_that_x_does_not_take_is_an_invalid_request(
    stage: Stage, path: str, params: dict[str, str]
) -> None:
    response = await stage.call("GET", path, await stage.keys("ada"), params=params)

    assert response.status_code == 400
    assert response.json()["title"] == "Invalid Request"


async def test_a_token_of_somebody_else_is_an_invalid_request(stage: Stage) -> None:
    keys = await stage.keys("ada")

    response = await stage.call(
        "GET", f"/2/users/{keys['id']}/tweets", keys, params={"pagination_token": "abc"}
    )

    assert response.status_code == 400


# ------------------------------------------------------------------ limits


async def test_the_headers_count_down_and_tell_when_the_window_ends(stage: Stage) -> None:
    keys = await stage.keys("ada")
    reset = str(int((START + timedelta(minutes=15)).timestamp()))

    told = []
    for _ in range(2):
        response = await stage.call("GET", "/2/users/me", keys)
        stage.clock.advance(timedelta(minutes=5))
        told.append([response.headers[name] for name in RATE_HEADERS])

    assert told == [["75", "74", reset], ["75", "73", reset]]


async def test_a_refused_request_tells_the_limits_too(stage: Stage) -> None:
    response = await stage.call("POST", "/2/tweets", await stage.keys("ada"), body={})

    assert response.status_code == 400
    assert response.headers["x-rate-limit-remaining"] == "99"


async def test_beyond_the_limit_is_429_until_the_window_ends(stage: Stage) -> None:
    ada, bob = await stage.keys("ada"), await stage.keys("bob")
    limit = LIMITS["GET /2/users/me"]

    statuses = [(await stage.call("GET", "/2/users/me", ada)).status_code for _ in range(limit)]
    beyond = await stage.call("GET", "/2/users/me", ada)
    somebody_else = await stage.call("GET", "/2/users/me", bob)
    stage.clock.advance(timedelta(minutes=15))
    later = await stage.call("GET", "/2/users/me", ada)

    assert set(statuses) == {200}
    assert (beyond.status_code, beyond.json()["title"]) == (429, "Too Many Requests")
    assert beyond.headers["x-rate-limit-remaining"] == "0"
    assert (somebody_else.status_code, later.status_code) == (200, 200)


async def test_every_endpoint_has_a_limit(stage: Stage) -> None:
    keys = await stage.keys("ada")

    for endpoint in LIMITS:
        method, path = endpoint.split(" ")
        concrete = path.format(post_id="1", user_id="1", username="ada")
        response = await stage.call(method, concrete, keys)

        assert response.headers["x-rate-limit-limit"] == str(LIMITS[endpoint]), endpoint
