"""That a program says it is one: what asks for it sincerely, what admits it, what denies it.

Patterns in English, and no judge: they know the usual words. A denial never leaves, whoever asks.
"""

import re
from collections.abc import Iterator
from typing import Final

from puppet_engine.style.findings import Violation, violation
from puppet_engine.style.threads import sentences

_PROGRAM: Final = (
    r"(?:(?:chat)?bots?|robots?|androids?|a\.i\.|ai|program|machine|computer|software|script|"
    r"chat\s?gpt|gpt|llm|language model|automat(?:ed|on|ic)|artificial(?: intelligence)?)"
)
_HUMAN: Final = r"(?:human(?: being)?|(?:real|actual|living)(?: (?:person|human|man|woman|life))?)"
_AM: Final = r"(?:i'?m|i am|we'?re|we are)"

_ASKED: Final = re.compile(
    rf"\b(?:are|r)\s+(?:you|u|ya|y'all)\s+(?:[\w']+\s+){{0,3}}?(?:{_PROGRAM}|{_HUMAN})\b"
    rf"|\b(?:is|isn't)\s+(?:this|that|it)\s+(?:[\w']+\s+){{0,3}}?"
    rf"(?:{_PROGRAM}|real person)\b[^.!]*\?"
    r"|\b(?:talking|speaking|chatting|writing|replying)\s+(?:to|with)\s+an?\s+"
    rf"(?:{_PROGRAM}|{_HUMAN})\b[^.!]*\?"
    rf"|\byou(?:'re| are)\s+(?:an?|just an?|not an?)\s+{_PROGRAM}\b[^.!]*\?"
    r"|\b(?:bot|ai|machine|robot)\s+or\s+(?:a\s+)?(?:human|person|not|man|woman)\b"
    r"|\bis\s+there\s+an?\s+(?:human|real person|person)\s+(?:behind|here|there)\b"
)
_DENIAL: Final = re.compile(
    rf"\b{_AM}\s+(?:[\w']+\s+){{0,2}}?(?:not|no|never)\s+(?:[\w']+\s+){{0,3}}?{_PROGRAM}\b"
    rf"|\b{_AM}\s+(?:(?!not\b|no\b|never\b|an?\s+(?:ai|bot|program))[\w']+\s+){{0,3}}?"
    r"(?:human(?! (?:resources|rights|nature))|(?:real|actual|living)\s+(?:person|man|woman|human)"
    r"|flesh and blood|made of flesh)\b"
    rf"|(?:^|[.!?,:;]\s*)(?:definitely\s+|certainly\s+|surely\s+)?not\s+an?\s+{_PROGRAM}\b"
    r"|\b(?:speaking\s+)?as\s+a\s+(?:fellow\s+)?human\b|\b(?:we|us)\s+humans\b"
    rf"|\bthis\s+(?:account\s+)?(?:is\s+not|isn't)\s+(?:an?\s+)?{_PROGRAM}\b"
    rf"|\bno\s+{_PROGRAM}\s+(?:here|writes|types|speaks)\b"
)
_ADMISSION: Final = re.compile(
    r"\b(?:i|i'?m|me|my|we|we'?re|us|our|this|here|yes|yep|indeed|it is|it's|account|persona)\b"
)
_NAMED: Final = re.compile(rf"\b{_PROGRAM}(?!\w)")


def asks_whether_program(text: str) -> bool:
    """Return whether somebody wants to know if they speak with a program."""
    return _ASKED.search(_plain(text)) is not None


def discloses(text: str) -> bool:
    """Return whether a text says of its author that it is a program."""
    plain = _plain(text)
    if _DENIAL.search(plain):
        return False
    told = (one for one in sentences(plain) if not one.endswith("?"))
    return any(_NAMED.search(one) and _ADMISSION.search(one) for one in told)


def no_denial(text: str) -> Iterator[Violation]:
    """Find where a text says that no program speaks."""
    if found := _DENIAL.search(_plain(text)):
        yield violation(
            "honesty.denial",
            "denies that a program speaks",
            "never claim to be human",
            text=text,
            span=found.span(),
        )


def honest_answer(text: str) -> Iterator[Violation]:
    """Find that a text evades the question whether a program speaks."""
    if not discloses(text):
        yield violation(
            "honesty.evasion",
            "does not say that a program speaks, which was asked",
            "say plainly that you are an AI persona",
            text=text,
        )


def _plain(text: str) -> str:
    """Return a text of the same length in small letters, with the apostrophe of typewriters."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    return small.replace("’", "'")  # noqa: RUF001 - the apostrophe people type
