"""Everybody has a face."""

import pytest
from hypothesis import given, strategies as st

from puppet_engine.dashboard.faces import HUES, Face
from puppet_engine.dashboard.pages import HERE


@pytest.mark.parametrize(
    ("name", "handle", "initials"),
    [
        ("Alice", "alice", "A"),
        ("Alice Ames", "alice", "AA"),
        ("Alice van der Ames", "alice", "AA"),
        ("élodie", "e", "É"),
        ("-- !!", "bob", "B"),
        ("", "", "?"),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_word(
    name: str, handle: str, initials: str
) -> None:
    assert Face(name=name, handle=handle).initials == initials


@given(name=st.text(), handle=st.text())
def test_any_name_has_initials_and_a_colour(name: str, handle: str) -> None:
    face = Face(name=name, handle=handle)

    assert face.initials
    assert 0 <= face.hue < HUES


def test_a_colour_belongs_to_the_handle_however_it_is_written() -> None:
    assert Face(name="A", handle="Alice").hue == Face(name="B", handle="alice").hue


def test_the_style_sheet_has_every_colour() -> None:
    style = (HERE / "static" / "dashboard.css").read_text(encoding="utf-8")

    for hue in range(HUES):
        assert f".hue-{hue} " in style
