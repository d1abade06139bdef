"""What X answers, read into our own nouns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from puppet_engine.core.errors import NetworkUnavailableError
from puppet_engine.core.models import Post

Answer = Mapping[str, Any]

WHOLE_POSTS: Final[Mapping[str, Sequence[str]]] = {
    "expansions": ["author_id"],
    "tweet_fields": ["author_id", "conversation_id", "created_at", "referenced_tweets"],
}
"""The parameters with which an answer holds everything that a `Post` needs."""


def read_id(answer: Answer) -> str:
    """Return the id of the one thing in `answer`."""
    return str(_data(answer)["id"])


def read_post(answer: Answer) -> Post:
    """Return the one post in `answer`, asked for with `WHOLE_POSTS`."""
    return _post(_data(answer), _handles(answer))


def read_posts(answer: Answer) -> list[Post]:
    """Return the posts in `answer`, asked for with `WHOLE_POSTS`, in its order."""
    handles = _handles(answer)
    return [_post(tweet, handles) for tweet in answer.get("data") or ()]


def next_page(answer: Answer) -> str | None:
    """Return the token of the page after `answer`; None when it is the last."""
    token = (answer.get("meta") or {}).get("next_token")
    return None if token is None else str(token)


def _data(answer: Answer) -> Mapping[str, Any]:
    data = answer.get("data")
    if not isinstance(data, Mapping) or "id" not in data:
        raise NetworkUnavailableError(f"X gave an answer without what was asked for: {answer!r}")
    return data


def _handles(answer: Answer) -> dict[str, str]:
    users = (answer.get("includes") or {}).get("users") or ()
    return {user["id"]: user["username"] for user in users}


def _post(tweet: Mapping[str, Any], handles: Mapping[str, str]) -> Post:
    references = tweet.get("referenced_tweets") or ()
    parents = [one["id"] for one in references if one["type"] == "replied_to"]
    try:
        return Post.model_validate(
            {
                "id": tweet["id"],
                "author_id": tweet["author_id"],
                # The account may be gone by the time its post is read.
                "author_handle": handles.get(tweet["author_id"], tweet["author_id"]),
                "text": tweet["text"],
                "created_at": tweet["created_at"],
                "conversation_id": tweet["conversation_id"],
                "in_reply_to": parents[0] if parents else None,
            }
        )
    except (KeyError, ValidationError) as error:
        raise NetworkUnavailableError(f"X gave a post that cannot be read: {tweet!r}") from error
