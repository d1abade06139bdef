"""What a text says when its disguise is taken off: signs that look alike, invisible ones, codes.

One text has several readings, and whoever looks for something looks at each: which of them a
language model would take is not known.
"""

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from string import ascii_lowercase
from typing import Final

LONGEST: Final = 4_000
"""How many signs of a text are read; no network has longer posts."""

_LOOKALIKES: Final = str.maketrans(
    "авԁеɡһіјкӏмнпорԛгѕтуѵԝхсαβγεηικνορτυχωıłøđ",
    "abdeghijklmhnopqrstyvwxcabyenikvoptuxwilod",
)
"""Letters of Cyrillic and Greek that pass for Latin ones (Unicode TS 39, of the most common)."""
_DIGITS: Final = str.maketrans("0134578@$!|", "oieastbasil")
_SPELLED: Final = re.compile(r"(?:(?<=\s)|^)(?:\w[\s.\-_*]{1,2}){4,}\w(?=\W|$)")
_JOINTS: Final = re.compile(r"[\s_.\-*+/\\|~·•]+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX: Final = re.compile(r"\b(?:[0-9a-fA-F]{2}[\s:]?){10,}")
_MORSE: Final = re.compile(r"[.\-\u00b7\u2022\u2013\u2014 /|\n]{20,}")
_READABLE: Final = 0.85
"""So great a part of what a code says must be letters and blanks, or it is no text."""

_MORSE_SIGNS: Final = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- "
    "...- .-- -..- -.-- --.."
)
_MORSE_LETTERS: Final = dict(zip(_MORSE_SIGNS.split(), ascii_lowercase, strict=True))


def bare(text: str) -> str:
    """Return a text in lower case, without accents and without what nobody sees."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign) not in _UNSEEN)


_UNSEEN: Final = frozenset({"Cf", "Mn", "Me"})
"""Categories of Unicode: formats, among them tags and joiners, and marks on letters."""
_FILLERS: Final = re.compile("[\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0]")


def readings(text: str) -> Iterator[str]:
    """Yield what a text may be read as, each in lower case, without accents; itself first."""
    told = _FILLERS.sub("", text[:LONGEST])
    yield from _faces(bare(told))
    tagged = "".join(chr(ord(sign) - 0xE0000) for sign in told if 0xE0020 <= ord(sign) <= 0xE007E)  # noqa: PLR2004 - the block of tags
    if tagged:
        yield from _faces(bare(tagged))
    for decode in _CODES:
        for said in decode(told):
            yield bare(said)


def _faces(plain: str) -> Iterator[str]:
    """Yield a plain text as it looks to those who take signs for others."""
    seen = {plain}
    yield plain
    latin = plain.translate(_LOOKALIKES)
    spelled = _SPELLED.sub(lambda match: _JOINTS.sub("", match[0]), latin)
    for face in (latin, spelled, _JOINTS.sub(" ", latin), spelled.translate(_DIGITS)):
        if face not in seen:
            seen.add(face)
            yield face


def _of_base64(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        code = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        with_end = code + "=" * (-len(code) % 4)
        try:
            said = base64.b64decode(with_end, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue  # it is no code, but a name or a link
        if _is_text(said):
            yield said


def _of_hex(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        try:
            said = bytes.fromhex(re.sub(r"[\s:]", "", match[0])).decode()
        except (ValueError, UnicodeDecodeError):
            continue
        if _is_text(said):
            yield said


def _of_morse(text: str) -> Iterator[str]:
    for match in _MORSE.finditer(text):
        signs = re.sub("[\u00b7\u2022]", ".", re.sub("[\u2013\u2014]", "-", match[0]))
        parts = [part.split() for part in re.split(r"\s*[/|\n]\s*|\s{2,}", signs)]
        said = " ".join("".join(_MORSE_LETTERS.get(one, "") for one in part) for part in parts)
        if said.strip():
            yield said


def _turned(text: str) -> Iterator[str]:
    yield codecs.encode(text, "rot13")
    yield text[::-1]


def _is_text(said: str) -> bool:
    letters = sum(sign.isalpha() or sign.isspace() for sign in said)
    return bool(said) and letters >= _READABLE * len(said)


_CODES: Final[tuple[Callable[[str], Iterator[str]], ...]] = (
    _of_base64,
    _of_hex,
    _of_morse,
    _turned,
)
