"""Cuts a condition of a model file into names, numbers, texts and signs."""

import re
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<text>'(?:[^']|'')*')
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<sign><=|>=|<>|!=|==|[-+*/()=<>,])
    )""",
    re.VERBOSE,
)
_KEYWORDS: Final = frozenset(
    ("and", "or", "not", "is", "null", "in", "between", "like", "true", "false")
)


@dataclass(frozen=True)
class Token:
    """One of them, and where it stands; places count from 1."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The keyword or sign that it is; empty for everything else."""
        if self.kind == "sign":
            return self.text
        return self.text.lower() if self.kind == "keyword" else ""


def tokens_of(written: str) -> list[Token]:
    """Return the tokens, and a last one for the end.

    Raises:
        ValueError: something is none of them.

    """
    tokens: list[Token] = []
    at = 0
    while written[at:].strip():
        match = _TOKEN.match(written, at)
        if match is None or match.lastgroup is None:
            rest = written[at:].lstrip()
            raise ValueError(f"not part of a condition: {rest[:20]!r}")
        kind, text = match.lastgroup, match[match.lastgroup]
        if kind == "name" and text.lower() in _KEYWORDS:
            kind = "keyword"
        tokens.append(Token(kind, text, match.start(kind if kind != "keyword" else "name") + 1))
        at = match.end()
    return [*tokens, Token("end", "the end", -1)]
