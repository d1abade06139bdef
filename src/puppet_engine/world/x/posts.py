"""Everything said on the world's X, in the order it was said."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class SitePost:
    """One post as X keeps it. `mentions` holds handles in lower case."""

    id: int
    author_id: int
    text: str
    created_at: datetime
    conversation_id: int
    mentions: tuple[str, ...] = ()
    in_reply_to: int | None = None
    in_reply_to_user: int | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the post in JSON values."""
        changed = {"created_at": self.created_at.isoformat(), "mentions": list(self.mentions)}
        return asdict(self) | changed

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the post that `to_record` wrote."""
        values = dict(record)
        created_at = datetime.fromisoformat(values.pop("created_at"))
        return cls(created_at=created_at, mentions=tuple(values.pop("mentions")), **values)


class PostIndex:
    """Posts by id, author and mention. Every walk is newest first."""

    def __init__(self) -> None:
        # Dictionaries keep the order of insertion, forget in constant time, and run backwards.
        self._all: dict[int, SitePost] = {}
        self._of_author: dict[int, dict[int, SitePost]] = defaultdict(dict)
        self._naming: dict[str, dict[int, SitePost]] = defaultdict(dict)
        self._answering: dict[int, dict[int, SitePost]] = defaultdict(dict)

    def add(self, post: SitePost) -> None:
        for group in self._groups(post):
            group[post.id] = post

    def remove(self, post: SitePost) -> None:
        for group in self._groups(post):
            del group[post.id]

    def _groups(self, post: SitePost) -> Iterator[dict[int, SitePost]]:
        yield self._all
        yield self._of_author[post.author_id]
        for handle in post.mentions:
            yield self._naming[handle]
        if post.in_reply_to_user is not None:
            yield self._answering[post.in_reply_to_user]

    def with_id(self, post_id: int) -> SitePost | None:
        return self._all.get(post_id)

    def newest(self) -> Iterator[SitePost]:
        return reversed(self._all.values())

    def by_author(self, account_id: int) -> Iterator[SitePost]:
        return reversed(self._of_author[account_id].values())

    def mentioning(self, account_id: int, handle: str) -> Iterator[SitePost]:
        """Walk the posts of others that name the account or answer it."""
        naming = reversed(self._naming[handle.lower()].values())
        answering = reversed(self._answering[account_id].values())
        last = None
        for post in heapq.merge(naming, answering, key=_by_age, reverse=True):
            if post.id != last and post.author_id != account_id:
                yield post
            last = post.id


def _by_age(post: SitePost) -> int:
    return post.id
