"""How posts and accounts look in an answer, and how long lists are cut into pages."""

import html
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from puppet_engine.world.x.accounts import Account, AccountBook
from puppet_engine.world.x.posts import PostIndex, SitePost
from puppet_engine.world.x.problems import invalid_request
from puppet_engine.world.x.rules import URL

NumericId = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]

_ALWAYS_SHOWN: Final = ("id", "text", "edit_history_tweet_ids")
_USER_ALWAYS_SHOWN: Final = ("id", "name", "username")


class ViewOptions(BaseModel):
    """What the caller wants to see of each thing; each is a comma-separated list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expansions: str = ""
    tweet_fields: Annotated[str, Field(alias="tweet.fields")] = ""
    user_fields: Annotated[str, Field(alias="user.fields")] = ""


class PageOptions(ViewOptions):
    """Which posts the caller wants, and how many at once."""

    since_id: NumericId | None = None
    until_id: NumericId | None = None
    start_time: AwareDatetime | None = None
    end_time: AwareDatetime | None = None
    pagination_token: str | None = None

    def select(self, newest_first: Iterable[SitePost]) -> Iterator[SitePost]:
        """Walk the wanted ones of `newest_first`, from where the token says."""
        since = int(self.since_id) if self.since_id else None
        until = _earliest(self.until_id, self._token())
        for post in newest_first:
            if since is not None and post.id <= since:
                return
            if self.start_time is not None and post.created_at < self.start_time:
                return
            if (until is None or post.id < until) and self._is_early(post.created_at):
                yield post

    def _token(self) -> str | None:
        token = self.pagination_token
        if token is not None and not (token.isascii() and token.isdigit()):
            raise invalid_request(f"pagination_token {token!r} is not one of ours")
        return token

    def _is_early(self, moment: datetime) -> bool:
        return self.end_time is None or moment < self.end_time


class TimelineOptions(PageOptions):
    """The options of one account's posts or mentions."""

    max_results: Annotated[int, Field(ge=5, le=100)] = 10


class SearchOptions(PageOptions):
    """The options of recent search, where the token has two names."""

    query: str
    max_results: Annotated[int, Field(ge=10, le=100)] = 10
    next_token: str | None = None

    def with_one_token(self) -> Self:
        """Return the same options with the token where other lists have it."""
        token = self.pagination_token or self.next_token
        return self.model_copy(update={"pagination_token": token})


def _earliest(*ids: str | None) -> int | None:
    return min((int(one) for one in ids if one), default=None)


class Renderer:
    """Writes answers, with what `options` of the request ask for."""

    def __init__(self, *, accounts: AccountBook, posts: PostIndex, options: ViewOptions) -> None:
        self._accounts = accounts
        self._posts = posts
        self._expansions = set(options.expansions.split(","))
        self._post_fields = {*_ALWAYS_SHOWN, *options.tweet_fields.split(",")}
        self._user_fields = {*_USER_ALWAYS_SHOWN, *options.user_fields.split(",")}

    def page(self, selected: Iterator[SitePost], *, max_results: int) -> dict[str, Any]:
        """Return a list's answer; `data` is left out of an empty one, as X does."""
        posts = list(islice(selected, max_results))
        meta: dict[str, Any] = {"result_count": len(posts)}
        if not posts:
            return {"meta": meta}
        meta |= {"newest_id": str(posts[0].id), "oldest_id": str(posts[-1].id)}
        if next(selected, None) is not None:
            meta["next_token"] = str(posts[-1].id)
        return {"data": self.posts(posts), **self.includes(posts), "meta": meta}

    def posts(self, posts: Iterable[SitePost]) -> list[dict[str, Any]]:
        return [self.post(post) for post in posts]

    def post(self, post: SitePost) -> dict[str, Any]:
        return _chosen(_whole_post(post), self._post_fields)

    def user(self, account: Account) -> dict[str, Any]:
        whole = {
            "id": str(account.id),
            "name": account.name,
            "username": account.handle,
            "created_at": _timestamp(account.created_at),
            "description": account.description,
        }
        return _chosen(whole, self._user_fields)

    def includes(self, posts: Sequence[SitePost]) -> dict[str, Any]:
        """Return `includes` with what the posts point at, or nothing."""
        found = {}
        if "author_id" in self._expansions:
            authors = dict.fromkeys(post.author_id for post in posts)
            accounts = (self._accounts.with_id(author) for author in authors)
            found["users"] = [self.user(account) for account in accounts if account]
        if "referenced_tweets.id" in self._expansions:
            parents = dict.fromkeys(post.in_reply_to for post in posts if post.in_reply_to)
            found["tweets"] = self.posts(
                parent for one in parents if (parent := self._posts.with_id(one))
            )
        included = {kind: things for kind, things in found.items() if things}
        return {"includes": included} if included else {}


def _whole_post(post: SitePost) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": str(post.id),
        "text": html.escape(_with_short_links(post), quote=False),
        "edit_history_tweet_ids": [str(post.id)],
        "author_id": str(post.author_id),
        "conversation_id": str(post.conversation_id),
        "created_at": _timestamp(post.created_at),
    }
    if entities := _entities(post):
        whole["entities"] = entities
    if post.in_reply_to is not None:
        whole["in_reply_to_user_id"] = str(post.in_reply_to_user)
        whole["referenced_tweets"] = [{"type": "replied_to", "id": str(post.in_reply_to)}]
    return whole


def _entities(post: SitePost) -> dict[str, Any]:
    mentions = [{"username": handle} for handle in post.mentions]
    urls = [{"url": short, "expanded_url": link} for short, link in _short_links(post)]
    return {name: some for name, some in (("mentions", mentions), ("urls", urls)) if some}


def _short_links(post: SitePost) -> list[tuple[str, str]]:
    links = URL.findall(post.text)
    return [(f"https://t.co/{post.id:x}{number:02}", link) for number, link in enumerate(links)]


def _with_short_links(post: SitePost) -> str:
    shorts = iter(_short_links(post))
    return URL.sub(lambda _: next(shorts)[0], post.text)


def _chosen(whole: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name in fields}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
