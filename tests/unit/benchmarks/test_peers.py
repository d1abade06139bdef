"""Both sides are measured on the same versions of what they share."""

import re

from benchmarks.harness.runner import ROOT

PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?(?:==(\S+))?$", re.MULTILINE)


def pins(file: str) -> dict[str, str]:
    text = ROOT.joinpath(file).read_text(encoding="utf-8")
    return {name.lower().replace("_", "-"): version for name, version in PIN.findall(text)}


def test_what_the_peers_share_with_us_has_one_version() -> None:
    ours, theirs = pins("constraints.txt"), pins("benchmarks/peers.txt")

    assert {"sqlmodel", "advanced-alchemy", "sqlalchemy", "psycopg"} <= theirs.keys()
    for name, version in theirs.items():
        assert version or name in ours, f"no file pins {name!r}"
        assert version in {"", ours.get(name, version)}, f"two versions of {name!r} are pinned"
