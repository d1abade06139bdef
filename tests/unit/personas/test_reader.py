"""Persona files: what is read, and what is said about mistakes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from puppet_engine.core.errors import PersonaError
from puppet_engine.personas.reader import read_persona, read_personas


def put(folder: Path, name: str, content: str | dict[str, Any]) -> Path:
    file = folder / name
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, "utf-8")
    return file


def problems_of(content: str, folder: Path) -> list[str]:
    file = put(folder, "ada.json", content)
    with pytest.raises(PersonaError) as caught:
        read_persona(file)
    return [problem.removeprefix(f"{file}:") for problem in caught.value.problems]


def test_personas_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    put(tmp_path, "b.json", {"id": "bert", "name": "Bert"})
    put(tmp_path, "a.json", {"id": "zoe", "name": "Zoë"})
    put(tmp_path, "notes.txt", "not a persona")

    personas = read_personas(tmp_path)

    assert [persona.name for persona in personas] == ["Zoë", "Bert"]


def test_an_unknown_key_is_placed_and_the_right_one_suggested(tmp_path: Path) -> None:
    found = problems_of('{\n  "id": "ada",\n  "name": "Ada",\n  "behaviour": {}\n}', tmp_path)

    assert found == ["4:3: unknown key 'behaviour' (at behaviour); did you mean 'behavior'?"]


def test_an_unknown_key_deep_inside_is_compared_with_its_own_neighbours(tmp_path: Path) -> None:
    text = """{"id": "ada", "name": "Ada",
  "initial_memory": {"relationships": [{"handle": "bob", "atitude": "x"}]}}"""

    (problem,) = problems_of(text, tmp_path)

    assert problem == (
        "2:58: unknown key 'atitude' (at initial_memory.relationships.0.atitude)"
        "; did you mean 'attitude'?"
    )


def test_a_key_cannot_command_the_terminal_that_shows_it(tmp_path: Path) -> None:
    (problem,) = problems_of(r'{"id": "ada", "name": "Ada", "\u001b[31mred": 1}', tmp_path)

    assert problem.isprintable()
    assert problem.endswith(r"(at \x1b[31mred)")


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = """{
  "id": "no spaces, please",
  "personality": {"traits": "curious"},
  "behavior": {"peak_hours": [8, 25]}
}"""

    found = problems_of(text, tmp_path)

    expected = ["2:9: ", "1:1: 'name' is missing", "3:29: ", "4:34: "]
    assert len(found) == len(expected)
    assert all(told.startswith(start) for told, start in zip(found, expected, strict=True))


def test_a_range_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    text = """{"id": "ada", "name": "Ada", "behavior": {"post_frequency":
  {"min_hours_between_posts": 5, "max_hours_between_posts": 2}}}"""

    (problem,) = problems_of(text, tmp_path)

    said = "min_hours_between_posts is greater than max_hours_between_posts"
    assert problem == f"2:3: {said} (at behavior.post_frequency)"


def test_posts_between_which_no_time_passes_are_refused(tmp_path: Path) -> None:
    content = """{"id": "ada", "name": "Ada",
 "behavior": {"post_frequency": {"min_hours_between_posts": 1e-300}}}"""

    (problem,) = problems_of(content, tmp_path)

    assert problem.startswith("2:61: input should be greater than")
    assert "min_hours_between_posts" in problem


def test_an_unknown_time_zone_is_refused_and_a_known_one_suggested(tmp_path: Path) -> None:
    text = '{"id": "ada", "name": "Ada", "behavior": {"timezone": "Europe/Wien"}}'

    (problem,) = problems_of(text, tmp_path)

    assert problem.startswith("1:55: unknown time zone 'Europe/Wien' (at behavior.timezone)")
    assert "; did you mean 'Europe/" in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{\n "id": "a",\n "id": "b"}', "3:2: the key 'id' is there already, in line 2"),
        ('{"id": "a"', "1:11: expected ',' or '}'"),
        ("", "1:1: the file is empty"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(
    text: str, problem: str, tmp_path: Path
) -> None:
    assert problems_of(text, tmp_path) == [problem]


def test_a_list_instead_of_a_persona_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of("[]", tmp_path)

    assert problem.startswith("1:1: ")


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, "a.json", '{"id": "a"}')
    put(tmp_path, "b.json", "{")
    put(tmp_path, "c.json", {"id": "c", "name": "C"})

    with pytest.raises(PersonaError) as caught:
        read_personas(tmp_path)

    assert [Path(problem.split(":")[0]).name for problem in caught.value.problems] == [
        "a.json",
        "b.json",
    ]


def test_two_personas_of_one_id_are_refused(tmp_path: Path) -> None:
    first = put(tmp_path, "a.json", {"id": "ada", "name": "Ada"})
    second = put(tmp_path, "b.json", {"id": "ada", "name": "Also Ada"})

    with pytest.raises(PersonaError) as caught:
        read_personas(tmp_path)

    taken = f"the id 'ada' is taken by {first}; choose another"
    assert caught.value.problems == (f"{second}:1:8: {taken} (at id)",)


def test_two_personas_of_one_handle_are_refused_also_when_it_is_made_from_the_id(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a.json", {"id": "ada-b", "name": "Ada"})
    put(tmp_path, "b.json", {"id": "bert", "name": "Bert", "handle": "Ada_B"})

    with pytest.raises(PersonaError, match=r"b\.json:1:\d+: the handle 'ada_b' is taken by"):
        read_personas(tmp_path)


def test_a_folder_without_personas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="no persona here; put at least one"):
        read_personas(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="no such folder"):
        read_personas(tmp_path / "missing")


@pytest.mark.timeout(5)
def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")

    with pytest.raises(PersonaError, match=r"pipe\.json:1:1: .*not an ordinary file"):
        read_personas(tmp_path)


@pytest.mark.parametrize("sign", ["\x1b", "\x00", "\u202e", "\n"])
def test_a_name_that_would_play_tricks_on_a_screen_is_refused(sign: str, tmp_path: Path) -> None:
    file = put(tmp_path, "a.json", {"id": "a", "name": f"A{sign}B"})

    with pytest.raises(PersonaError) as caught:
        read_persona(file)

    assert sign not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="cannot be read: No such file"):
        read_persona(tmp_path / "ada.json")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_bytes('{"name": "Zoë"}'.encode("latin-1"))

    with pytest.raises(PersonaError, match="not UTF-8"):
        read_persona(file)


def test_no_problem_shows_a_private_key(tmp_path: Path) -> None:
    text = '{"id": "a", "name": "A", "solana_integration": {"private_key": ["hunter2"]}}'

    (problem,) = problems_of(text, tmp_path)

    assert "hunter2" not in problem
