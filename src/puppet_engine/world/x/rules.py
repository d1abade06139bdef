"""What X allows in a post, as functions of what is known."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from puppet_engine.world.x.accounts import Account
from puppet_engine.world.x.posts import SitePost
from puppet_engine.world.x.problems import forbidden

MAX_WEIGHT: Final = 280
_DUPLICATE_WINDOW: Final = timedelta(hours=24)
_URL_WEIGHT: Final = 23
URL: Final = re.compile(r"https?://\S+")
_MENTION: Final = re.compile(r"(?<![\w@])@(\w{1,15})(?!\w)", re.ASCII)
# Where a character counts once; everywhere else (CJK, emoji) it counts twice.
_LIGHT: Final = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


def mentioned_handles(text: str) -> tuple[str, ...]:
    """Return the handles that `text` names, in lower case, each once, in their order."""
    return tuple(dict.fromkeys(handle.lower() for handle in _MENTION.findall(text)))


def weight(text: str) -> int:
    """Return how much of the limit `text` takes: a link counts 23, an ideogram 2."""
    plain, links = URL.subn("", unicodedata.normalize("NFC", text))
    return links * _URL_WEIGHT + sum(1 if _is_light(ord(one)) else 2 for one in plain)


def _is_light(code_point: int) -> bool:
    return any(first <= code_point <= last for first, last in _LIGHT)


def check_length(text: str) -> None:
    """Refuse a text that weighs too much."""
    if weight(text) > MAX_WEIGHT:
        raise forbidden("You are not permitted to perform this action.")


def check_novelty(text: str, *, earlier: Iterable[SitePost], now: datetime) -> None:
    """Refuse a text that is among its author's `earlier` posts, newest first, of a day."""
    for post in earlier:
        if now - post.created_at >= _DUPLICATE_WINDOW:
            return
        if post.text == text:
            raise forbidden("You are not allowed to create a Tweet with duplicate content.")


def check_summons(replier: Account, parent: SitePost | None) -> SitePost:
    """Return the post to reply to, if it calls for `replier`.

    Since February 2026 an app may only answer whoever named its account or answered it;
    an account may always go on with a thread of its own.
    """
    if parent is None:
        raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    summoned = replier.handle.lower() in parent.mentions or replier.id in (
        parent.in_reply_to_user,
        parent.author_id,
    )
    if not summoned:
        raise forbidden(
            "Reply to this conversation is not allowed because you have not been mentioned"
            " or otherwise engaged by the author of the post you are replying to."
        )
    return parent
