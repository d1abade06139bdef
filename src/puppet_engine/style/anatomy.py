"""What a text is made of: words, marks, mentions, hashtags; all by their places."""

import re
from collections.abc import Iterable
from typing import Final

from puppet_engine.style.weight import Span, emoji_spans, link_spans

HASHTAG: Final = re.compile(r"(?<![\w&#])[#＃](?=\w*[^\W\d_])\w+")  # noqa: RUF001 - the wide sign is meant
MENTION: Final = re.compile(r"(?<![\w@])@\w[\w.-]*\w|(?<![\w@])@\w")
WORD: Final = re.compile(r"[^\W_](?:[\w'’-]*\w)?")  # noqa: RUF001 - an apostrophe, as people type it
_ADDRESS: Final = re.compile(r"(?:@\w[\w.-]*[,:]?\s+)+")
_QUOTATION: Final = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']*'(?!\w)|(?<!\w)‘[^’]*’")  # noqa: RUF001 - quotation marks


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without those of links and mentions."""
    return [word.casefold() for word in WORD.findall(prose(text))]


def hashtag_spans(text: str) -> list[Span]:
    """Return where the hashtags are."""
    return [found.span() for found in HASHTAG.finditer(text)] if "#" in text else []


def prose(text: str) -> str:
    """Return a text with blanks in place of links, mentions and hashtags: all places stay."""
    spans = [*link_spans(text), *hashtag_spans(text)]
    if "@" in text:
        spans += [found.span() for found in MENTION.finditer(text)]
    return blanked(text, spans)


def unquoted(text: str) -> str:
    """Return a text with blanks in place of what it quotes: those are somebody else's words."""
    return blanked(text, (found.span() for found in _QUOTATION.finditer(text)))


def without_address(text: str) -> str:
    """Return a text without the mentions that it begins with."""
    return _ADDRESS.sub("", text, count=1) if text.startswith("@") else text


def ending(text: str) -> str:
    """Return a text up to the last of its words: no hashtags, links and emojis after it."""
    spans = [*link_spans(text), *hashtag_spans(text), *emoji_spans(text)]
    return blanked(text, spans).rstrip()


def blanked(text: str, spans: Iterable[Span]) -> str:
    """Return a text with blanks at some places."""
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], " " * (stop - start)]
            end = stop
    return "".join([*parts, text[end:]])


def term_pattern(term: str) -> re.Pattern[str]:
    """Return what finds a term, in any case, as whole words, also with an -s or -es."""
    inner = r"\s+".join(map(re.escape, term.split()))
    return re.compile(rf"(?<!\w){inner}(?:['’]?s|es)?(?!\w)", re.IGNORECASE)  # noqa: RUF001 - an apostrophe
