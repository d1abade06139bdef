"""What was said and what happened, boiled down: two lives are the same when their digests are."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from puppet_engine.core.models import Noun
from puppet_engine.simulation.scenario import FIRST_MOMENT
from puppet_engine.storage.census import EventFact
from puppet_engine.world.x.site import XSite


class Utterance(Noun):
    """One thing that was said, as X kept it."""

    at: datetime
    handle: str
    text: str
    post_id: str
    in_reply_to: str | None = None
    goes_on: bool = False
    """Whether it goes on under a post of the same author's: a thread."""

    @property
    def is_reply(self) -> bool:
        """Whether it answers somebody."""
        return self.in_reply_to is not None and not self.goes_on

    def line(self) -> str:
        """Return all of it in one line."""
        return "\t".join(
            (self.at.isoformat(), self.handle, self.post_id, self.in_reply_to or "-", self.text)
        )


def utterances_on(site: XSite) -> list[Utterance]:
    """Return everything that was said on a site, in the order in which it was said."""
    found = [
        Utterance(
            at=post.created_at,
            handle=_handle(site, post.author_id),
            text=post.text,
            post_id=str(post.id),
            in_reply_to=str(post.in_reply_to) if post.in_reply_to else None,
            goes_on=post.in_reply_to_user == post.author_id,
        )
        for post in site.posts.newest()
    ]
    return found[::-1]


def _handle(site: XSite, account_id: int) -> str:
    account = site.accounts.with_id(account_id)
    return account.handle if account else str(account_id)


def digest(lines: Iterable[str]) -> str:
    """Return the SHA-256 of lines, in hexadecimal digits."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digest_by_span(
    moments_and_lines: Iterable[tuple[datetime, str]], span: timedelta
) -> list[str]:
    """Return a digest for each span of time since the first moment, up to the last used one."""
    grouped: defaultdict[int, list[str]] = defaultdict(list)
    for moment, line in moments_and_lines:
        grouped[(moment - FIRST_MOMENT) // span].append(line)
    last = max(grouped, default=-1)
    return [digest(grouped.get(number, ())) for number in range(last + 1)]


def settled_lines(events: Iterable[EventFact]) -> list[tuple[datetime, str]]:
    """Return what happened, when, one line each, in the order in which it was over."""
    over: list[tuple[int, datetime, EventFact]] = [
        (event.settled_as, event.settled_at, event)
        for event in events
        if event.settled_as is not None and event.settled_at is not None
    ]
    over.sort(key=lambda entry: entry[0])
    return [
        (at, f"{event.type} {event.agent_id} {event.due_at.isoformat()} {event.failures}")
        for _, at, event in over
    ]


def first_difference(one: Sequence[Any], other: Sequence[Any]) -> int | None:
    """Return the first place at which two sequences differ; None when they are equal."""
    for place, (here, there) in enumerate(zip(one, other, strict=False)):
        if here != there:
            return place
    return None if len(one) == len(other) else min(len(one), len(other))
