"""Who said how much when, who answered whom, and how far it went."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from puppet_engine.core.models import Noun
from puppet_engine.simulation.digests import Utterance
from puppet_engine.simulation.scenario import FIRST_MOMENT

HOUR = timedelta(hours=1)


class Hour(Noun):
    """What was said in one hour."""

    posts: int = 0
    replies: int = 0


class Answers(Noun):
    """How often one answered another."""

    who: str
    whom: str
    count: int


class Cascade(Noun):
    """A post and all that came of it."""

    post_id: str
    handle: str
    text: str
    size: int
    """How many posts, the first one included."""
    depth: int
    """How many answers stand in its longest line."""
    people: int


class Cascades(Noun):
    """All posts by what came of them."""

    sizes: dict[int, int]
    """How many cascades have a size."""
    depths: dict[int, int]
    largest: list[Cascade]


def by_hour(said: Sequence[Utterance]) -> list[Hour]:
    """Return what was said in each hour since the first moment."""
    posts: Counter[int] = Counter()
    replies: Counter[int] = Counter()
    for one in said:
        hour = max(0, (one.at - FIRST_MOMENT) // HOUR)
        (replies if one.is_reply else posts)[hour] += 1
    last = max((*posts, *replies), default=-1)
    return [Hour(posts=posts[hour], replies=replies[hour]) for hour in range(last + 1)]


def who_answers_whom(said: Sequence[Utterance]) -> list[Answers]:
    """Return who answered whom, most often first."""
    authors = {one.post_id: one.handle for one in said}
    pairs = Counter(
        (one.handle, authors[one.in_reply_to])
        for one in said
        if one.is_reply and one.in_reply_to in authors
    )
    ordered = sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
    return [Answers(who=who, whom=whom, count=count) for (who, whom), count in ordered]


def cascades(said: Sequence[Utterance], *, largest: int) -> Cascades:
    """Return how large and how deep the trees of answers are, and the `largest` of them."""
    known = {one.post_id: one for one in said}
    roots: dict[str, str] = {}
    depths: dict[str, int] = {}
    for one in said:  # an answer always comes after what it answers
        parent = one.in_reply_to if one.in_reply_to in known else None
        roots[one.post_id] = roots[parent] if parent else one.post_id
        depths[one.post_id] = depths[parent] + 1 if parent else 0
    sizes = Counter(roots.values())
    deepest: Counter[str] = Counter()
    people: dict[str, set[str]] = {}
    for post_id, root in roots.items():
        deepest[root] = max(deepest[root], depths[post_id])
        people.setdefault(root, set()).add(known[post_id].handle)
    first = sorted(sizes, key=lambda root: (-sizes[root], -deepest[root], int(root)))[:largest]
    return Cascades(
        sizes=_sorted(Counter(sizes.values())),
        depths=_sorted(Counter(deepest[root] for root in sizes)),
        largest=[
            Cascade(
                post_id=root,
                handle=known[root].handle,
                text=known[root].text,
                size=sizes[root],
                depth=deepest[root],
                people=len(people[root]),
            )
            for root in first
        ],
    )


def _sorted(counts: Mapping[int, int]) -> dict[int, int]:
    return dict(sorted(counts.items()))
