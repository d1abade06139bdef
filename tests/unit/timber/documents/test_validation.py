"""What validation promises: every problem at once, with its place and a suggestion."""

from enum import Enum
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from timber.common.documents import ProblemList, parse_json, parse_yaml, validate
from timber.common.errors import DocumentError, ModelFileError


class Colour(Enum):
    GREEN = "green"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    kind: Literal["wheel", "engine"] = "wheel"
    colour: Colour = Colour.GREEN

    @field_validator("name")
    @classmethod
    def _not_bad(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("Bad is no name")
        return value


class Machine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parts: list[Part]
    spare: dict[str, Part | int] = {}
    note: Part | None = None


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(DocumentError) as caught:
        validate(Machine, parse_yaml(text.encode(), source="f"))
    return caught.value.problems


def test_a_good_document_becomes_a_model() -> None:
    machine = validate(Machine, parse_json(b'{"parts": [{"name": "x"}]}', source="f"))

    assert machine == Machine(parts=[Part(name="x")])


def test_all_problems_come_at_once_each_with_its_place() -> None:
    text = "parts:\n  - {name: x, knid: wheel}\n  - {kind: wheel}\n  - {name: bad}\n"

    assert problems(text) == (
        "f:2:15: unknown key 'knid' (at parts.0.knid); did you mean 'kind'?",
        "f:3:5: 'name' is missing (at parts.1)",
        "f:4:12: bad is no name (at parts.2.name)",
    )


def test_a_value_that_is_not_in_the_list_is_told_the_nearest() -> None:
    text = "parts:\n  - {name: x, kind: wheels}\n  - {name: x, colour: Gren}\n"

    assert problems(text) == (
        "f:2:21: must be 'wheel' or 'engine' (at parts.0.kind); did you mean 'wheel'?",
        "f:3:23: must be 'green' (at parts.1.colour); did you mean 'green'?",
    )


def test_an_unknown_key_at_the_root_is_told_the_nearest() -> None:
    assert problems("parts: []\nprats: []\n") == (
        "f:2:1: unknown key 'prats' (at prats); did you mean 'parts'?",
    )


def test_a_place_behind_a_union_is_still_the_documents() -> None:
    found = problems("parts: []\nspare:\n  a: {nmae: x}\n")

    assert "f:3:7: unknown key 'nmae' (at spare.a.nmae); did you mean 'name'?" in found


def test_a_document_of_the_wrong_kind_has_a_place_too() -> None:
    (problem,) = problems("- a\n")

    assert problem.startswith("f:1:1: ")


def test_the_problems_of_several_files_are_raised_together() -> None:
    collected = ProblemList(ModelFileError)
    for source in ("one", "other"):
        with collected.collecting():
            validate(Machine, parse_yaml(b"parts: 1", source=source))

    with pytest.raises(ModelFileError) as caught:
        collected.raise_any()

    assert [problem.split(":")[0] for problem in caught.value.problems] == ["one", "other"]


def test_no_problem_raises_nothing() -> None:
    ProblemList().raise_any()
