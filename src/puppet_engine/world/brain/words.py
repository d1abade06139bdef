"""What can be taken up from somebody else's words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

STOPWORDS: Final = frozenset(
    (files("puppet_engine.world.brain") / "stopwords.txt").read_text("utf-8").split()
)
_WORD: Final = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
_NOISE: Final = re.compile(r"https?://\S+|[@#]\w[\w.-]*")
_PIECE: Final = re.compile(r"[^.,;:!?()\[\]\"“”«»…\n/*|<>{}&=+\u2013\u2014]+")
_NEW_OWNER: Final = {"my": "your", "our": "your", "a": "that", "an": "that", "your": "my"}
_LINKS: Final = frozenset({"and", "but", "or", "so", "that", "which", "because", "then", "with"})
_SHORTEST_WORD: Final = 3
_LONGEST_ECHO: Final = 5
_PLURAL_OR_VERB: Final = re.compile(r"[^s]s$")


_SORROW: Final = re.compile(
    r"\bI(?:'m| am| got| was| feel| felt|'ve been| have been)\b[^.!?]{0,30}"
    r"\b(?:fired|laid off|sick|ill|sad|lonely|scared|afraid|heartbroken|dumped|exhausted"
    r"|miserable|hopeless|depressed|anxious)\b"
    r"|\b(?:my|our) [\w ]{2,25}(?:died|passed away|is dying|is in hospital)\b"
    r"|\b(?:broke up|funeral|(?:worst|terrible|awful) day)\b|don't know what to do",
    re.IGNORECASE,
)
_PRAISE: Final = re.compile(
    r"\b(?:congrat\w*|well done|bravo|happy birthday|proud of you|thank you|thanks|"
    r"love your|you are the best|great post)\b",
    re.IGNORECASE,
)
_FAVOURITE: Final = re.compile(r"\byour favou?rite (\w+)[^.!?]*\?", re.IGNORECASE)
_GREETING: Final = re.compile(
    r"\W*(?:hi|hello|hey|good (?:morning|evening|afternoon)|welcome|nice to meet)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Heard:
    """What one post offers to whoever answers it."""

    things: tuple[str, ...]
    """Noun phrases as the hearer would say them: "my kettle" is now "your kettle"."""
    echoes: tuple[str, ...]
    """Spans of two to five words, to be quoted."""
    words: tuple[str, ...]
    """Single words that carry meaning, the longest first."""
    is_question: bool
    calls_for: str
    """What manners demand: `console`, `thank`, `greet`, tell a `favourite`; else nothing."""
    kind: str
    """What somebody wants to know our favourite of."""


def hear(text: str) -> Heard:
    """Return what there is in a post to take up, the best first."""
    plain = _NOISE.sub(" . ", text.replace("\u2019", "'"))
    pieces = [_WORD.findall(piece) for piece in _PIECE.findall(plain)]
    is_question = bool(re.search(r"\?[\W\d_]*$", text))
    words = [word for piece in pieces for word in _weighty(piece)]
    return Heard(
        things=_unique(
            thing
            for piece in pieces
            for thing in _things(piece)
            # "What is your favourite smell?" is no news of my favourite smell.
            if not (is_question and thing.startswith("my "))
        ),
        echoes=_unique(
            sorted(
                (echo for piece in pieces for echo in _echoes(piece)), key=_weight, reverse=True
            )
        ),
        words=_unique(sorted(words, key=len, reverse=True)),
        is_question=is_question,
        calls_for=_manners(plain),
        kind=favourite[1] if (favourite := _FAVOURITE.search(plain)) else "",
    )


def _weight(echo: str) -> int:
    """Return how many of its words say something."""
    return sum(map(_carries, echo.split()))


def _manners(text: str) -> str:
    if _SORROW.search(text):
        return "console"
    if _PRAISE.search(text):
        return "thank"
    if _FAVOURITE.search(text):
        return "favourite"
    return "greet" if _GREETING.match(text) else ""


def content_words(text: str) -> set[str]:
    """Return the words that carry meaning, in lower case."""
    return {word.lower() for word in _WORD.findall(text) if _carries(word)}


def _carries(word: str) -> bool:
    return len(word) >= _SHORTEST_WORD and word.lower() not in STOPWORDS


def _weighty(words: list[str]) -> Iterator[str]:
    """Yield the words that can stand alone, in lower case where a sentence may begin."""
    for at, word in enumerate(words):
        if _carries(word) and "'" not in word and not word.endswith("ly"):
            yield word.lower() if at == 0 else word


def _things(words: list[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        if word.lower() not in {"the", "my", "our", "a", "an", "your"}:
            continue
        run = _run(words[at + 1 :])
        if words[at + len(run) + 1 : at + len(run) + 2] in (["one"], ["of"]):
            continue  # "a bigger one", "a lack of soup"
        owner = _NEW_OWNER.get(word.lower(), word.lower())
        match run:
            case [noun] if not noun.endswith(("ed", "ly", "est")):
                yield f"{owner} {noun}"
            case [noun, verb] if verb.endswith(("ed", "ing", "ly")):
                yield f"{owner} {noun}"
            case [adjective, noun] if not _PLURAL_OR_VERB.search(noun):
                yield f"{owner} {adjective} {noun}"
            case [adjective, noun, verb] if verb.endswith(("ed", "ing", "ly", "s")):
                yield f"{owner} {adjective} {noun}"
            case _:
                pass


def _run(words: list[str]) -> list[str]:
    run: list[str] = []
    for word in words:
        if not _carries(word):
            break
        run.append(word)
    return run


def _echoes(words: list[str]) -> Iterator[str]:
    """Yield a piece that is short enough to quote whole, else its tail."""
    while words and words[0].lower() in _LINKS:
        words = words[1:]
    if not any(map(_carries, words)):
        return
    if 1 < len(words) <= _LONGEST_ECHO:
        yield " ".join(words)
        return
    for size in (4, 3):
        tail = words[-size:]
        if len(words) > size and _carries(tail[0]) and _carries(tail[-1]):
            yield " ".join(tail)
            return


def _unique(items: "Iterator[str] | list[str]") -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
