"""The JSON Schema says of a file's form what reading the file says."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings, strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from tests.unit.timber.commands.test_check import timber

from timber.common.modeling import builtin_directory
from timber.common.modeling.json_schema import model_file_schema
from timber.common.modeling.spec import ModelFile

ROOT: Final = Path(__file__).parents[4]
SCHEMA: Final = Draft202012Validator(model_file_schema())
FLAGS: Final = """
models:
  - name: Paper
    table_name: papers
    columns:
      - {name: id, type: String(36), primary_key: true}
      - {name: author_id, type: String(36), foreign_key: users.user_id, nullable: false}
      - {name: price, type: "Numeric(10, 2)", unique: true}
    relationships:
      - {name: author, model: User, type: many_to_one, foreign_key: author_id}
      - {name: tags, model: Tag, type: many_to_many, secondary: paper_tags, back_populates: papers}
    indexes: [{name: ix_price, columns: [price], unique: true}]
    states: {initial: new, transitions: {new: [done]}, final: [done]}
    encryption: {enabled: true, fields: [price]}
    caching: {enabled: true, ttl_seconds: 60}
    vector_search: {enabled: false, content_field: price}
    gdpr: {enabled: true, export_fields: [price], on_erase: retain, reason: the tax law}
"""
FILES: Final = [
    *builtin_directory().glob("*.yaml"),
    *ROOT.joinpath("src/puppet_engine/storage/models").glob("*.yaml"),
    *ROOT.joinpath("examples/research_desk/data/models").glob("*.yaml"),
]
GOOD: Final[list[dict[str, Any]]] = [
    yaml.safe_load(text) for text in (FLAGS, *(file.read_text("utf-8") for file in FILES))
]


def is_read(document: object) -> bool:
    try:
        ModelFile.model_validate(document)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("document", GOOD, ids=["flags", *(file.name for file in FILES)])
def test_every_model_file_there_is_passes(document: object) -> None:
    assert is_read(document)
    assert [error.message for error in SCHEMA.iter_errors(document)] == []


DEFAULTS: Final = frozenset({"default", "server_default"})


def without_defaults(node: Any) -> Any:
    """Return the document without what the schema leaves to `timber check`."""
    if isinstance(node, dict):
        return {key: without_defaults(value) for key, value in node.items() if key not in DEFAULTS}
    return [without_defaults(item) for item in node] if isinstance(node, list) else node


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to everything in a document but the document itself."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*path, key))


ODD_VALUES: Final = [
    *(None, True, False, 0, -1, 7, 1.5, "", "x", "two words", "1st", "class", "__own", "x" * 64),
    *("users", "users.user_id", "a.b.c", ".b", "a.", [], {}, ["x"], ["x", "x y"], {"x": ["y"]}),
    *("Text", " Text ", "text", "Text(3)", "String", "String(x)", "String( 36 )", "Numeric(10,2)"),
    *("Numeric(10)", "many_to_many", "one_to_one", "delete", "retain", "TimestampMixin"),
]
MAPPING_KEYS: Final = [
    *("primary_key", "nullable", "secondary", "foreign_key", "reason", "on_erase", "enabled"),
    *("description", "unknown", "Name", "back_populates", "unique"),
]


@st.composite
def damaged_files(draw: st.DrawFn) -> Any:
    """Take a good model file, and leave something out, add it or write it differently."""
    document = without_defaults(copy.deepcopy(draw(st.sampled_from(GOOD))))
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from([*paths(document), ("models",)]))
        parent = document
        for step in way:
            parent = parent[step]
        change = draw(st.sampled_from(["leave out", "replace", "add"]))
        if change == "leave out":
            parent.pop(last, None) if isinstance(parent, dict) else parent.pop(last)
        elif change == "add" and isinstance(parent, dict):
            parent[draw(st.sampled_from(MAPPING_KEYS))] = draw(st.sampled_from(ODD_VALUES))
        else:
            parent[last] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
    return document


@settings(max_examples=300)
@given(damaged_files())
def test_the_schema_accepts_a_file_just_when_its_form_is_right(document: object) -> None:
    assert SCHEMA.is_valid(document) == is_read(document)


ID: Final = {"name": "id", "type": "String(36)", "primary_key": True}
TAGS: Final = {"name": "tags", "model": "Tag", "type": "many_to_many", "secondary": "note_tags"}


def file_with(key: str, value: object) -> dict[str, object]:
    note = {"name": "Note", "table_name": "notes", "columns": [ID], key: value}
    return {"models": [note]}


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("name", "Note", "my note"),
        ("columns", [ID], []),
        ("columns", [ID], [{**ID, "type": "Strin(36)"}]),
        ("columns", [ID], [{**ID, "primry_key": True}]),
        ("columns", [ID], [{**ID, "nullable": True}]),
        ("columns", [ID], [{"name": "id"}]),
        ("columns", [{**ID, "foreign_key": "users.id"}], [{**ID, "foreign_key": "users"}]),
        ("relationships", [TAGS], [{**TAGS, "type": "one_to_many"}]),
        ("relationships", [TAGS], [{**TAGS, "foreign_key": "tag_id"}]),
        ("relationships", [TAGS], [{**TAGS, "secondary": None}]),
        ("caching", {"enabled": True}, {"enabled": True, "ttl_seconds": 0}),
        ("gdpr", {"enabled": True}, {"enabled": True, "reason": "none is needed"}),
        ("gdpr", {"enabled": True}, {"enabled": True, "on_erase": "retain", "reason": ""}),
        ("mixins", ["TimestampMixin", "Priced"], ["my mixin"]),
    ],
)
def test_what_is_wrong_in_form_is_refused(key: str, good: object, bad: object) -> None:
    assert SCHEMA.is_valid(file_with(key, good))
    assert not SCHEMA.is_valid(file_with(key, bad))


def test_a_key_is_explained_where_it_is_written() -> None:
    relationship = model_file_schema()["$defs"]["RelationshipSpec"]["properties"]

    assert relationship["secondary"]["description"] == "The association table of a `many_to_many`."


def test_the_command_writes_a_valid_schema(tmp_path: Path) -> None:
    output = tmp_path / "editor" / "timber.schema.json"

    done = timber("schema", "-o", output)

    assert done.exit_code == 0
    assert timber("schema").stdout == output.read_text("utf-8")
    Draft202012Validator.check_schema(yaml.safe_load(output.read_text("utf-8")))
