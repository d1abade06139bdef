"""A text that is too long for one post becomes a thread, cut where a sentence ends."""

import re
from collections.abc import Iterator
from typing import Final

from puppet_engine.style.weight import POST_WEIGHT, Span, emoji_spans, weighted_length

_SENTENCE: Final = re.compile(r"\S.*?(?:[.!?…]+[\"'”’»)\]]*(?=\s)|(?=\s*\n)|\s*\Z)", re.DOTALL)  # noqa: RUF001 - quotation marks
_WORD: Final = re.compile(r"\S+")


def split_thread(text: str, *, limit: int = POST_WEIGHT) -> list[str]:
    """Return the posts that tell `text`, each of `limit` weighted characters at the most.

    Nothing is lost and nothing changed but the white space at the cuts. A sentence is cut only
    when it is too long for a post of its own, and a word only when that is.
    A text of nothing but white space makes no post.

    Raises:
        ValueError: the limit is smaller than the weight of one character.

    """
    if limit < 2:  # noqa: PLR2004 - what one character can weigh
        raise ValueError(f"no text can be split into posts of {limit}: give a limit of 2 or more")
    posts: list[Span] = []
    for start, end in _pieces(text, limit):
        if posts and weighted_length(text[posts[-1][0] : end]) <= limit:
            posts[-1] = (posts[-1][0], end)
        else:
            posts.append((start, end))
    return [text[start:end] for start, end in posts]


def even_thread(text: str, *, limit: int = POST_WEIGHT) -> list[str]:
    """Return as few posts as `split_thread` does, none much longer than another.

    No sentence is cut that `split_thread` leaves whole. Raises what it raises.
    """
    posts = split_thread(text, limit=limit)
    whole = (weighted_length(one) for one in sentences(text))
    low = max(2, *(weight for weight in whole if weight <= limit))
    while low < limit:
        middle = (low + limit) // 2
        if len(closer := split_thread(text, limit=middle)) == len(posts):
            posts, limit = closer, middle
        else:
            low = middle + 1
    return posts


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without the white space between them."""
    return [text[start:end] for start, end in _spans(_SENTENCE, text, 0, len(text))]


def _pieces(text: str, limit: int) -> Iterator[Span]:
    """Yield the sentences, and of those that are too long the words, and so on."""
    for sentence in _spans(_SENTENCE, text, 0, len(text)):
        if _fits(text, sentence, limit):
            yield sentence
            continue
        for word in _spans(_WORD, text, *sentence):
            if _fits(text, word, limit):
                yield word
            else:
                yield from _shreds(text, word, limit)


def _shreds(text: str, word: Span, limit: int) -> Iterator[Span]:
    start, end = word
    pictures = dict(span for span in emoji_spans(text) if start <= span[0] < end)
    cut = start
    while cut < end:
        further = min(pictures.get(cut, cut + 1), end)
        if cut > start and not _fits(text, (start, further), limit):
            yield start, cut
            start = cut
        cut = further
    yield start, end


def _fits(text: str, span: Span, limit: int) -> bool:
    return weighted_length(text[span[0] : span[1]]) <= limit


def _spans(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[Span]:
    for found in pattern.finditer(text, start, end):
        first, last = found.span()
        yield first, first + len(text[first:last].rstrip())
