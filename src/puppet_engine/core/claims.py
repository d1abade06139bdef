"""What people say of themselves in so many words: facts that need no language model to be found.

Only what is said plainly, in the first person and of one value at a time is taken. What is asked,
wished, negated or supposed is not, nor what is quoted: those are somebody else's words.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from puppet_engine.core.facts import Claim

LONGEST_VALUE: Final = 60

_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})

_NAME: Final = r"[A-Z][\w'-]*(?:[ -](?:[A-Z][\w'-]*|de|of|la|am|an))*"
_NOUN: Final = r"[a-z][a-z-]+(?: [a-z][a-z-]+){0,2}?"
_WORDS: Final = r"[\w'-]+(?: [\w'-]+){0,3}?"
_DAY: Final = (
    r"\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[A-Z][a-z]+|[A-Z][a-z]+\s+\d{1,2}(?:st|nd|rd|th)?"
)
_END: Final = (
    r"(?=\s*(?:[.,;:!?)]|$| now\b| since\b| and\b| but\b| these days\b| for\b| at\b| in\b))"
)
_I: Final = r"(?:^|(?<=[\s\"(]))I"
_AM: Final = r"(?:\s+am|'m)"

_PATTERNS: Final = tuple(
    (attribute, re.compile(pattern))
    for attribute, pattern in (
        ("home", rf"{_I}\s+(?:now\s+|still\s+)?live\s+in\s+(?P<value>{_NAME})"),
        ("home", rf"{_I}{_AM}\s+(?:now\s+)?living\s+in\s+(?P<value>{_NAME})"),
        (
            "home",
            rf"{_I}(?:\s+have|'ve|\s+just)?\s+(?:moved|relocated)\s+to\s+(?P<value>{_NAME})",
        ),
        ("job", rf"{_I}\s+(?:now\s+)?work\s+as\s+an?\s+(?P<value>{_NOUN}){_END}"),
        (
            "job",
            rf"{_I}{_AM}\s+(?:now\s+)?an?\s+(?P<value>{_NOUN})\s+(?:now|by trade|by profession)\b",
        ),
        ("employer", rf"{_I}\s+(?:now\s+)?work\s+(?:at|for)\s+(?P<value>{_NAME})"),
        ("name", rf"\b[Mm]y\s+name\s+is\s+(?P<value>{_NAME})"),
        ("birthday", rf"\b[Mm]y\s+birthday\s+is\s+(?:on\s+)?(?:the\s+)?(?P<value>{_DAY})"),
        (
            "name of {what}",
            rf"\b[Mm]y\s+(?P<what>[a-z]+)\s+is\s+(?:called|named)\s+(?P<value>{_NAME})",
        ),
        ("name of {what}", rf"\b[Mm]y\s+(?P<what>[a-z]+)'s\s+name\s+is\s+(?P<value>{_NAME})"),
        (
            "favourite {what}",
            rf"\b[Mm]y\s+favou?rite\s+(?P<what>{_NOUN})\s+is\s+(?P<value>{_WORDS}){_END}",
        ),
    )
)
_QUOTED: Final = re.compile(r'"[^"]*"|\u00ab[^\u00bb]*\u00bb')
_SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]*")
_SUPPOSED: Final = re.compile(
    r"\?|\b(?:if|wish|would|might|maybe|perhaps|not|never|n't|used to|dream|imagine|pretend)\b",
    re.IGNORECASE,
)
_MAY_HOLD: Final = re.compile(r"\bI\b|\b[Mm]y\b")


def claims_of(text: str, *, speaker: str, at: datetime) -> list[Claim]:
    """Return what a speaker says of themselves; of one attribute, what is said last."""
    if not _MAY_HOLD.search(text):
        return []
    plain = text.translate(_APOSTROPHES).strip()
    # Somebody whose words stand in quotation marks, all of them, quotes nobody.
    own = plain[1:-1] if _QUOTED.fullmatch(plain) else _QUOTED.sub('""', plain)
    found = {claim.attribute: claim for claim in _claims(own, speaker, at)}
    return list(found.values())


def _claims(text: str, speaker: str, at: datetime) -> Iterator[Claim]:
    for sentence in _SENTENCE.findall(text):
        if _SUPPOSED.search(sentence):
            continue
        for attribute, pattern in _PATTERNS:
            for match in pattern.finditer(sentence.strip()):
                named = match.groupdict()
                value = str(named.pop("value")).strip()
                if len(value) <= LONGEST_VALUE:
                    yield Claim(
                        subject=speaker,
                        attribute=attribute.format(**named).casefold(),
                        value=value,
                        at=at,
                    )
