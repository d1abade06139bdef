"""The pages that are written from the code say what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.docs import pages

ROOT = Path(__file__).parents[1]
PROSE = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "examples") for page in ROOT.joinpath(folder).rglob("*.md")),
]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_generated_pages_are_current() -> None:
    stale = [
        path.name
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]

    assert stale == [], "run `make docs`"


@pytest.mark.parametrize("page", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


def readme_blocks(language: str) -> list[str]:
    """Return the blocks of code of one language that the README shows."""
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("example", readme_blocks("python"), ids=["timber", "engine"])
def test_the_examples_of_the_readme_run(example: str, tmp_path: Path) -> None:
    [models] = readme_blocks("yaml")
    tmp_path.joinpath("models").mkdir()
    tmp_path.joinpath("models", "notes.yaml").write_text(models, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "the example shows nothing"
