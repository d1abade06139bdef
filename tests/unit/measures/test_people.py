"""What is said of a cast beside people is taken of both in the same way."""

import hashlib
import io
import tarfile
import tomllib
from pathlib import Path

import pytest
from scripts import people as script

from puppet_engine.measures.people import FIGURES, beside_people
from puppet_engine.measures.variety import COMPARED

SAME = ["the fog came in at noon and stayed"] * COMPARED
UNLIKE = [f"word{number} thing{number} place{number}" for number in range(COMPARED)]


def test_who_repeats_themselves_is_farther_from_people_than_who_does_not() -> None:
    beside = {one.of: one for one in beside_people({"same": SAME, "unlike": UNLIKE})}

    assert beside.keys() == FIGURES.keys()
    for one in beside.values():
        assert one.people_least <= one.people <= one.people_most
    bleu, words = beside["self-BLEU"], beside["distinct words"]
    assert bleu.personas["same"] == 1
    assert bleu.personas["unlike"] < bleu.people_most < bleu.personas["same"]
    assert words.personas["same"] < words.people_least < words.personas["unlike"]


def test_who_said_less_than_people_is_not_set_beside_them() -> None:
    assert beside_people({"ann": SAME[1:]}) == []
    assert all(one.personas.keys() == {"bob"} for one in beside_people({"ann": [], "bob": SAME}))


def archive(path: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        member = tarfile.TarInfo(path)
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def package(posts: list[str]) -> tuple[bytes, bytes]:
    """Return posts as the sources of the package have them, and the file in which they are."""
    written = "".join(f"{at}\t0.5\t{post}\r\n" for at, post in enumerate(posts)).encode()
    inner = archive("hutto_ICWSM_2014/tweets_GroundTruth.txt", written)
    name = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
    return archive(name, inner), written


def test_the_script_takes_the_same_figures_of_posts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sources, written = package([*SAME, *SAME])
    (tmp_path / "sources.tar.gz").write_bytes(sources)
    monkeypatch.setattr(script, "_SHA_256", hashlib.sha256(written).hexdigest())
    monkeypatch.setattr("sys.argv", ["people.py", str(tmp_path / "sources.tar.gz")])

    script.main()

    found = tomllib.loads(capsys.readouterr().out)["figures"]
    assert found.keys() == FIGURES.keys()
    assert found["self-BLEU"] == {"mean": 1, "least": 1, "most": 1}


def test_the_script_refuses_other_posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources.tar.gz").write_bytes(package(UNLIKE)[0])
    monkeypatch.setattr("sys.argv", ["people.py", str(tmp_path / "sources.tar.gz")])

    with pytest.raises(SystemExit, match="other posts"):
        script.main()
