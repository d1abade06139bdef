"""What never goes out, whatever the persona: secrets, people's personal data, abuse.

A last net and not a judge: it knows what such things look like, and errs on the side of silence.
It sees through full-width letters, invisible characters and, in abuse, digits for letters.
What it found is not repeated in its findings, for those are kept and shown.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from hashlib import blake2b
from itertools import chain
from typing import Final

from puppet_engine.style.findings import Violation
from puppet_engine.style.weight import link_spans

_INVISIBLE: Final = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)

# ------------------------------------------------------------------ what things look like

_SECRETS: Final = (
    ("an API key", r"\b(?:sk|pk|rk|xai|gsk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{16,}"),
    ("an API key", r"\bAIza[A-Za-z0-9_-]{30,}"),
    ("an access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("an access token", r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hf_)[A-Za-z0-9_-]{16,}"),
    ("a signed token", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("a private key", r"\b[1-9A-HJ-NP-Za-km-z]{85,90}\b"),
    ("a private key", r"(?:\d{1,3}\s*,\s*){31,}\d{1,3}"),
    ("a private key", r"\b(?:0x)?[0-9a-fA-F]{64}\b"),
    ("a password", (r"(?i)\b(?:password|passphrase|secret|api[ _-]?key)\s*(?:is|:|=)\s*"
     r"(?=\S*\d)\S{6,}")),
    # Twelve words or more of three to eight letters, and nothing between: in prose there is.
    ("a recovery phrase", r"(?:^|[:\n]\s*|\bis\s+)(?:[a-z]{3,8}\s+){11,}[a-z]{3,8}\s*\.?(?:$|\n)"),
    ("a login in an address", r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@"),
)  # fmt: skip
_PERSONAL: Final = (
    ("an e-mail address", r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"),
    ("an e-mail address", r"(?i)\b[\w.+-]+\s*[\[({]\s*at\s*[\])}]\s*[\w-]+"),
    ("an e-mail address", (r"(?i)\b[\w.+-]+\s+at\s+[\w-]+\s+dot\s+"
     r"(?:com|org|net|io|edu|gov|info|me|co|eu|uk|de)\b")),
    ("an identity number", r"\b\d{3}-\d{2}-\d{4}\b"),
    ("a street address", (r"\b\d{1,5}[A-Za-z]?\s+(?:[A-Z][\w'.-]*\s+){1,3}"
     r"(?:Street|St\.|Avenue|Ave\b|Road|Rd\b|Lane|Drive|Blvd|Boulevard)")),
)  # fmt: skip
_PHONE: Final = re.compile(r"(?<![\w.])(?:\+|00)?\(?\d{1,4}\)?(?:[ ./-]?\(?\d{2,5}\)?){2,5}(?!\w)")
_CARD: Final = re.compile(r"(?<!\d)[3-6](?:[ -]?\d){12,18}(?!\d)")
_ACCOUNT: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_PHONE_DIGITS: Final = (9, 15)
"""E.164 allows fifteen digits; fewer than nine are as often a date or a score."""

_THREATS: Final = re.compile(
    r"\b(?:kill|hang|shoot|hurt|off)\s+(?:yourself|urself|himself|herself|themselves)\b"
    r"|\bkys\b|\bgo\s+(?:and\s+)?die\b"
    r"|\b(?:you|u)\s+(?:should|must|need\s+to|deserve\s+to)\s+(?:die|suffer|be\s+(?:shot|hanged|raped))\b"
    r"|\bi(?:'ll|\s+will|\s+am\s+going\s+to|'m\s+going\s+to|\s+know\s+where)\s+"
    r"(?:(?:kill|hurt|rape|shoot|stab|beat)\s+(?:you|u|your)\b|you\s+live\b|find\s+you\s*(?:[.!,]|and\b|$))"
)
_INSULTS: Final = re.compile(
    r"\b(?:you\s+are|you're|ur|you)\s+(?:just\s+|such\s+|really\s+)?(?:an?\s+|the\s+)?"
    r"(?:\w+\s+)?(?:idiot|moron|imbecile|bitch|bastard|asshole|arsehole|cunt|whore|slut|scum|vermin|subhuman)s?\b"
    r"|\b(?:they|those people|them)\s+are\s+(?:all\s+)?(?:vermin|subhuman|animals|parasites)\b"
)
_SLURS: Final = frozenset(
    {
        "0bc1e6946736", "2dc96e2a08f7", "3a5188b6b3f1", "438ed034be55", "8c881c58dc1e",
        "8e236ca175d6", "9431c69de414", "9eba73ee4d5d", "a4149a6bc0f1", "a6e45c0c82a5",
        "ceb15b92ab8c", "e533a067cd5c",
    }
)  # fmt: skip
"""BLAKE2b digests of slurs, so that nobody has to read them here."""
_LETTERS: Final = str.maketrans("013457@$!", "oieastasi")


# ------------------------------------------------------------------ the filter


class SafetyFilter:
    """Finds what must not leave.

    `secrets` are known ones, found wherever they stand. What is `public` the operator has
    written about the persona itself: an address in it is the persona's own.
    """

    def __init__(self, *, secrets: Collection[str] = (), public: str = "") -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
        self._bare = tuple(bare for bare in map(_bare, self._secrets) if len(bare) >= _LONG)
        self._public = _plain(public)

    def check(self, text: str) -> list[Violation]:
        """Return what must not go out."""
        plain = _plain(text)
        kinds = chain(self._known(plain), _secrets(plain), self._personal(plain), _abuse(plain))
        return list(dict.fromkeys(kinds))

    def _known(self, text: str) -> Iterator[Violation]:
        # Also when it is spelled out: 's k - 1 2 3'.
        dense = re.sub(r"\s", "", text)
        as_written = any(secret in text or secret in dense for secret in self._secrets)
        # Or in other cases, with other signs between.
        if as_written or any(secret in _bare(text) for secret in self._bare):
            yield _finding("secret", "one of this engine's secrets", text)

    def _personal(self, text: str) -> Iterator[Violation]:
        for kind, found in _personal(text):
            if found not in self._public:
                yield _finding("personal_data", kind, text)


_SHORTEST_SECRET: Final = 8
_LONG: Final = 10
"""A shorter one, without its signs, may be a word that others say."""


def _finding(family: str, kind: str, text: str) -> Violation:
    return Violation(
        rule=f"safety.{family}",
        reason=f"holds {kind}",
        cure="leave it out",
        start=0,
        end=len(text),
        excerpt="",
    )


def _secrets(text: str) -> Iterator[Violation]:
    for kind, pattern in _SECRETS:
        if re.search(pattern, text):
            yield _finding("secret", kind, text)


def _personal(text: str) -> Iterator[tuple[str, str]]:
    for kind, pattern in _PERSONAL:
        yield from ((kind, found[0]) for found in re.finditer(pattern, text))
    links = link_spans(text)
    for kind, shape, is_one in _NUMBERS:
        for found in shape.finditer(text):
            in_link = any(start <= found.start() < end for start, end in links)
            if not in_link and is_one(found[0]):
                yield kind, found[0]


def _abuse(text: str) -> Iterator[Violation]:
    low = text.casefold().replace("’", "'")  # noqa: RUF001 - the apostrophe people type
    for said in {low, low.translate(_LETTERS)}:
        if _THREATS.search(said):
            yield _finding("abuse", "a threat", text)
        if _INSULTS.search(said):
            yield _finding("abuse", "an insult", text)
        if any(_digest(word) in _SLURS for word in re.findall(r"[^\W\d_]+", said)):
            yield _finding("abuse", "a slur", text)


def _digest(word: str) -> str:
    return blake2b(_singular(word).encode(), digest_size=6).hexdigest()


def _singular(word: str) -> str:
    return word.removesuffix("s")


def _bare(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return re.sub(r"[\W_]", "", text).casefold()


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


# ------------------------------------------------------------------ numbers that check themselves


def _is_phone(found: str) -> bool:
    digits = _digits(found)
    # Dates, years in a row and great numbers are no telephones.
    grouped = re.fullmatch(r"\d{3}[ .-]\d{3}[ .-]\d{4}", found)
    marked = found.startswith(("+", "0", "(")) or grouped is not None
    return marked and _PHONE_DIGITS[0] <= len(digits) <= _PHONE_DIGITS[1]


def _is_card(found: str) -> bool:
    """Say whether the digits pass Luhn's check (ISO/IEC 7812-1)."""
    digits = [int(one) for one in reversed(_digits(found))]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_account(found: str) -> bool:
    """Say whether it passes the check of an IBAN (ISO 13616): modulo 97."""
    plain = found.replace(" ", "")
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


_NUMBERS: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = (
    ("a telephone number", _PHONE, _is_phone),
    ("a card number", _CARD, _is_card),
    ("a bank account", _ACCOUNT, _is_account),
)
