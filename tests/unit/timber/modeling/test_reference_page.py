"""The page on model files: every block loads, and every key is shown."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from tests.unit.timber.conftest import OpenTimber

from timber.common.modeling import features, notation, relationship_spec, spec

PAGE = Path(__file__).parents[4] / "docs/reference/model-files.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SPECS = {
    one
    for module in (features, relationship_spec, spec)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, BaseModel) and one is not notation.Spec
}


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_block_of_the_page_is_a_file_that_loads(open_timber: OpenTimber, block: str) -> None:
    timber = open_timber(block)

    assert "User" in timber.models.names()


def test_the_page_shows_every_key() -> None:
    shown = set(re.findall(r"(\w+):", "\n".join(BLOCKS)))
    keys = {name for one in SPECS for name in one.model_fields}

    assert len(SPECS) > 10
    assert keys - shown == set()


def test_only_the_block_of_the_older_shape_brings_notes(open_timber: OpenTimber) -> None:
    noted = {block: open_timber(block).models.notes() for block in BLOCKS}

    with_notes = [block for block, notes in noted.items() if notes]
    assert with_notes == [block for block in BLOCKS if block.startswith("depends:")]
    said = [note.split(".yaml:")[1] for note in noted[with_notes[0]]]
    assert said[0].startswith("1:1: `depends` is left out")
