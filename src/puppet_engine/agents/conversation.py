"""A conversation as people read it: a thread is one thing that somebody said."""

from collections.abc import Sequence

from puppet_engine.core.models import Post


def told_together(posts: Sequence[Post]) -> list[Post]:
    """Return posts with those put together that one and the same author goes on in.

    `posts` come oldest first; what was put together has the id of its last post.
    """
    told: list[Post] = []
    for post in posts:
        before = told[-1] if told else None
        if before and post.in_reply_to == before.id and post.author_id == before.author_id:
            told[-1] = post.model_copy(
                update={"text": f"{before.text} {post.text}", "in_reply_to": before.in_reply_to}
            )
        else:
            told.append(post)
    return told
