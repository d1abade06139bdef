"""What X answers, read into our own nouns."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from puppet_engine.core.errors import NetworkUnavailableError
from puppet_engine.core.ids import PostId
from puppet_engine.core.models import Post

Answer = Mapping[str, Any]

WHOLE_POSTS: Final[Mapping[str, Sequence[str]]] = {
    "expansions": ["author_id"],
    "tweet_fields": [
        "author_id",
        "conversation_id",
        "created_at",
        "entities",
        "referenced_tweets",
    ],
}
"""The parameters with which an answer holds everything that a `Post` needs."""


class _Part(BaseModel):
    """A part of an answer; what is not listed is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Profile(_Part):
    """Who an account is."""

    id: str
    name: str
    username: str
    description: str = ""
    """The bio on its page."""


class _Reference(_Part):
    type: str
    id: PostId


class _Link(_Part):
    url: str
    expanded_url: str = ""


class _Entities(_Part):
    urls: list[_Link] = []


class _Tweet(_Part):
    id: PostId
    author_id: str
    text: str
    created_at: AwareDatetime
    conversation_id: PostId
    entities: _Entities = _Entities()
    referenced_tweets: list[_Reference] = []

    def to_post(self, authors: Mapping[str, Profile]) -> Post:
        author = authors.get(self.author_id)
        parents = (one.id for one in self.referenced_tweets if one.type == "replied_to")
        return Post(
            id=self.id,
            author_id=self.author_id,
            # The account may be gone by the time its post is read.
            author_handle=author.username if author else self.author_id,
            text=self._as_written(),
            created_at=self.created_at,
            conversation_id=self.conversation_id,
            in_reply_to=next(parents, None),
        )

    def _as_written(self) -> str:
        """Return the text without X's link shortening and its escaping of `&`, `<` and `>`."""
        text = html.unescape(self.text)
        for link in self.entities.urls:
            text = text.replace(link.url, link.expanded_url or link.url)
        return text


class _Includes(_Part):
    users: list[Profile] = []


class _Meta(_Part):
    next_token: str | None = None


class _Page(_Part):
    data: list[_Tweet] = []
    includes: _Includes = _Includes()
    meta: _Meta = _Meta()


class _One(_Part):
    data: _Tweet
    includes: _Includes = _Includes()


class _OneProfile(_Part):
    data: Profile


class _Created(_Part):
    class _Id(_Part):
        id: PostId

    data: _Id


_Shape = TypeVar("_Shape", bound=_Part)


def read_new_id(answer: Answer) -> PostId:
    """Return the id of what was made."""
    return _read(_Created, answer).data.id


def read_profile(answer: Answer) -> Profile:
    """Return the one account in `answer`."""
    return _read(_OneProfile, answer).data


def read_post(answer: Answer) -> Post:
    """Return the one post in `answer`, asked for with `WHOLE_POSTS`."""
    one = _read(_One, answer)
    return one.data.to_post(_by_id(one.includes))


def read_posts(answer: Answer) -> tuple[list[Post], str | None]:
    """Return the posts in `answer`, asked for with `WHOLE_POSTS`, and the next page's token."""
    page = _read(_Page, answer)
    authors = _by_id(page.includes)
    return [tweet.to_post(authors) for tweet in page.data], page.meta.next_token


def _by_id(includes: _Includes) -> dict[str, Profile]:
    return {user.id: user for user in includes.users}


def _read(shape: type[_Shape], answer: Answer) -> _Shape:
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        # Which fields, not what they hold: it may be what people wrote.
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise NetworkUnavailableError(f"X gave an answer that cannot be read: {wrong}") from None
