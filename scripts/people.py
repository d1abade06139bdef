"""Takes the figures of `measures/people.toml` of posts that people wrote.

The posts come with the sources of the package vaderSentiment 3.3.2 (MIT licence), as the ground
truth of Hutto and Gilbert, "VADER" (ICWSM 2014): 4,200 of them, each by itself, from Twitter.
They are people's own, so no post is kept here, only what all of them are like:

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python scripts/people.py vaderSentiment-3.3.2.tar.gz > src/puppet_engine/measures/people.toml
"""

import hashlib
import html
import io
import random
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

from puppet_engine.measures.people import FIGURES
from puppet_engine.measures.variety import COMPARED

_ARCHIVE: Final = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_POSTS: Final = "hutto_ICWSM_2014/tweets_GroundTruth.txt"
_SHA_256: Final = "dfbe7102e2f92579ed8b19df9a3822491880697c67adf712fb66e520cc05102f"


def main() -> None:
    """Print the figures as TOML."""
    posts = _posts(Path(sys.argv[1]).read_bytes())
    random.Random(1).shuffle(posts)  # noqa: S311 - an order, no secret
    groups = list(_groups(posts))
    print(f"# How varied {COMPARED} posts of people are; written by `scripts/people.py`.")
    print(f"# Of {len(groups)} groups of them, from the sources of vaderSentiment 3.3.2 (MIT):")
    print(f"# {_POSTS}, SHA-256")
    print(f"# {_SHA_256}")
    print("\n[figures]")
    for name, figure in FIGURES.items():
        values = [figure(group) for group in groups]
        mean, least, most = fmean(values), min(values), max(values)
        print(f'"{name}" = {{ mean = {mean:.4f}, least = {least:.4f}, most = {most:.4f} }}')


def _posts(package: bytes) -> list[str]:
    written = _member(_member(package, _ARCHIVE), _POSTS)
    if (found := hashlib.sha256(written).hexdigest()) != _SHA_256:
        raise SystemExit(f"these are other posts than those of vaderSentiment 3.3.2: {found}")
    lines = written.decode("utf-8", errors="replace").splitlines()
    return [html.unescape(line.split("\t", 2)[2]).strip() for line in lines]


def _member(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        member = opened.extractfile(name)
        if member is None:
            raise SystemExit(f"{name} is no file")
        return member.read()


def _groups(posts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(posts) - COMPARED + 1, COMPARED):
        yield list(posts[start : start + COMPARED])


if __name__ == "__main__":
    main()
