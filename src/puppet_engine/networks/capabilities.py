"""What a network can do, allows and costs, as data; a row of the capability matrix."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from puppet_engine.core.models import Noun
from puppet_engine.outbox.limits import RateCap

MicroDollars = Annotated[int, Field(ge=0)]


class Capabilities(Noun):
    """One network, as the usual account on it finds it."""

    replies: bool = True
    """Whether answers may be given."""
    likes: bool = False
    """Whether a program may like what others say."""
    quotes: bool = False
    """Whether it may quote them without being asked."""
    reposts: bool = False
    """Whether it may pass on what they say."""
    threads: bool = True
    """Whether an account may go on under posts of its own."""
    is_labelled_as_bot: bool = False
    """Whether the account's own profile says that a program speaks; else its bio has to."""
    max_characters: int | None = None
    """The longest text; None when there is no limit."""
    idempotency_keys: bool = False
    """Whether `publish` with a key that it knows gives the first post back, and makes no other.

    Without them an unknown outcome is looked for on the account's own timeline.
    """
    key_lifetime: timedelta = timedelta(hours=1)
    """How long the network remembers a key."""
    visible_within: timedelta = timedelta(0)
    """How long a post that was taken may be missing from the timeline."""
    caps: tuple[RateCap, ...] = ()
    """How often an account may publish; the network's own word goes before it."""
    post_price: MicroDollars = 0
    link_price: MicroDollars = 0
    """Of a post with a link in it."""
    reply_price: MicroDollars = 0
    like_price: MicroDollars = 0
    """Of a like, and of a repost."""
