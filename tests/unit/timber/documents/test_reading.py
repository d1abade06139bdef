"""What reading YAML and JSON promises: values, their places, and located problems."""

import json
import time
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from timber.common.documents import Document, Mark, parse_json, parse_yaml, read_document
from timber.common.errors import DocumentError


def yaml_problems(text: str | bytes) -> tuple[str, ...]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(DocumentError) as caught:
        parse_yaml(content, source="f.yaml")
    return caught.value.problems


def json_problems(text: str | bytes) -> tuple[str, ...]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(DocumentError) as caught:
        parse_json(content, source="f.json")
    return caught.value.problems


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("1_000", "1_000"),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("True", True),
        ("false", False),
        ("~", None),
        ("", None),
        (".inf", float("inf")),
    ],
)
def test_yaml_scalars_are_read_as_version_1_2_says(written: str, value: Any) -> None:
    document = parse_yaml(f"key: {written}".encode(), source="f.yaml")

    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)


def test_every_value_and_key_knows_its_place() -> None:
    document = parse_yaml(b"a:\n  - x\n  - {b: 1}\n", source="f.yaml")

    assert document.mark(("a", 1, "b")) == Mark(3, 9)
    assert document.mark(("a", 1, "b"), of_key=True) == Mark(3, 6)
    assert document.mark(("a", 1, "nowhere")) == Mark(3, 5)
    assert document.mark(()) == Mark(1, 1)


def test_json_values_and_keys_know_their_place_too() -> None:
    document = parse_json('{"ü": 1,\r\n "b": [2, {"c": 3}]}'.encode(), source="f.json")

    assert document.mark(("b", 1, "c")) == Mark(2, 17)
    assert document.mark(("b", 1, "c"), of_key=True) == Mark(2, 12)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' is there already, in line 1"),
        ("a:\n\t- b", "f.yaml:2:1: a tab cannot indent; use spaces"),
        (b"a: \xff", "f.yaml:1:4: not UTF-8; save it as UTF-8"),
        ("a: b\nc: \x07", "f.yaml:2:4: the character U+0007 is not allowed"),
        ("a: &a [*a]", "f.yaml:1:8: no anchor &a is complete before this alias"),
        ("a: *b", "f.yaml:1:4: no anchor &b is complete before this alias"),
        ("1: a", "f.yaml:1:1: a key must be text; put it in quotes"),
        ("[a]: b", "f.yaml:1:1: a key must be text, written out"),
        ("", "f.yaml:1:1: the file is empty"),
        ("# only a comment", "f.yaml:2:1: the file is empty"),
        ("a\n---\nb", "f.yaml:2:1: a second document begins here; one a file is allowed"),
        ("a: {b", "f.yaml:2:1: did not find expected ',' or '}'"),
        ("a: " + "9" * 5000, "f.yaml:1:4: a number of more than 100 digits"),
        ("[" * 100, "f.yaml:1:66: nested more than 64 deep"),
    ],
)
def test_a_broken_yaml_file_is_told_where_it_is_broken(text: str | bytes, problem: str) -> None:
    assert yaml_problems(text) == (problem,)


def test_code_in_a_yaml_file_is_refused_and_not_run() -> None:
    (problem,) = yaml_problems("a: !!python/object/apply:os.getcwd []")

    assert "is not supported" in problem


def test_all_doubled_keys_of_a_file_are_told_at_once() -> None:
    assert len(yaml_problems("{a: 1, a: 2, b: 1, b: {c: 1, c: 2}}")) == 3


def test_an_alias_stands_for_what_its_anchor_names() -> None:
    document = parse_yaml(b"a: &a {x: &b [1], y: *b}\nc: *a\nd: *b", source="f.yaml")

    assert document.value == {"a": {"x": [1], "y": [1]}, "c": {"x": [1], "y": [1]}, "d": [1]}
    assert document.mark(("c", "x", 0)) == Mark(1, 15)


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)),
        "[" * 5_000_000,
        "- " * 4_000_000,
        "{a: " * 2_000_000,
        "? " * 4_000_000,
        "'" + "x\n" * 4_000_000,
        "a: " * 3_000_000,
        "x" * 10_000_001,
    ],
    ids=["laughs", "lists", "entries", "mappings", "keys", "quote", "colons", "large"],
)
def test_a_hostile_yaml_file_is_refused_soon(text: str) -> None:
    began = time.perf_counter()

    problems = yaml_problems(text)

    assert len(problems) == 1
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1, "a": 2}', "f.json:1:10: the key 'a' is there already, in line 1"),
        ('"\\ud83d"', "f.json:1:1: half of a surrogate pair is no character"),
        ('{"a": NaN}', "f.json:1:7: expected a value"),
        ("[1,]", "f.json:1:4: expected a value"),
        ('{"a": 1} x', "f.json:1:10: something follows the value"),
        ('{"a" 1}', "f.json:1:6: expected ':' after the key"),
        ("{a: 1}", "f.json:1:2: expected a key in double quotes"),
        ("[1 2]", "f.json:1:4: expected ',' or ']'"),
        ('{"a": 1 "b"}', "f.json:1:9: expected ',' or '}'"),
        ('"a\nb"', "f.json:1:3: invalid control character"),
        ('"a', "f.json:1:1: unterminated string starting"),
        ("01", "f.json:1:2: something follows the value"),
        ("1e999", "f.json:1:1: the number is too large"),
        ("-" + "9" * 5000, "f.json:1:1: a number of more than 100 digits"),
        (" ", "f.json:1:2: the file is empty"),
        ("[" * 1_000_000, "f.json:1:66: nested more than 64 deep"),
        (b'"\xc3', "f.json:1:2: not UTF-8; save it as UTF-8"),
    ],
)
def test_a_broken_json_file_is_told_where_it_is_broken(text: str | bytes, problem: str) -> None:
    assert json_problems(text) == (problem,)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False).filter(isfinite)
plain_text = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]))
any_text = st.text(st.characters(exclude_categories=["Cs"]))


def nested(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars | text, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20
    )


@given(nested(any_text), st.booleans())
def test_what_json_writes_is_read_back(value: Any, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)

    assert parse_json(written.encode(), source="f.json").value == value


@given(nested(plain_text))
def test_json_is_yaml_too(value: Any) -> None:
    written = json.dumps({"value": value}, ensure_ascii=False)

    assert parse_yaml(written.encode(), source="f.yaml").value == {"value": value}


def outcome(parse: Callable[..., Document], content: bytes) -> Document | tuple[str, ...]:
    try:
        return parse(content, source="f")
    except DocumentError as error:
        return error.problems


@given(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_a_document_or_located_problems(content: bytes) -> None:
    for parse in (parse_json, parse_yaml):
        found = outcome(parse, content)

        assert isinstance(found, Document) or all(one.startswith("f:") for one in found)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#,? \n\t1%@~<", max_size=80))
def test_what_is_read_as_yaml_is_yaml(text: str) -> None:
    found = outcome(parse_yaml, text.encode())

    if isinstance(found, Document):
        assert yaml.compose(text, Loader=yaml.CSafeLoader) is not None


def test_a_file_is_read_as_its_name_says(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{'a': 1}", encoding="utf-8")
    (tmp_path / "a.yml").write_text("{'a': 1}", encoding="utf-8")

    assert read_document(tmp_path / "a.yml").value == {"a": 1}
    with pytest.raises(DocumentError, match="double quotes"):
        read_document(tmp_path / "a.json")
    with pytest.raises(DocumentError, match="No such file"):
        read_document(tmp_path / "nowhere.yaml")
