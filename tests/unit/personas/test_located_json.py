"""JSON with places."""

import json

from hypothesis import given, strategies as st

from puppet_engine.personas.located_json import JSONProblemError, LocatedJSON, line_and_column

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(value=VALUES, indent=st.none() | st.integers(0, 3))
def test_it_reads_what_the_standard_library_writes(value: object, indent: int | None) -> None:
    assert LocatedJSON(json.dumps(value, indent=indent)).value == value


@given(text=st.text(alphabet='{}[]",:0123456789.-eEtrufalsn \n\\', max_size=30))
def test_it_takes_nothing_that_the_standard_library_refuses(text: str) -> None:
    read, position = _read(text)

    if position is None:
        assert read == json.loads(text)
    else:
        assert 0 <= position <= len(text)


def _read(text: str) -> tuple[object, int | None]:
    try:
        return LocatedJSON(text).value, None
    except JSONProblemError as problem:
        return None, problem.position


def test_it_knows_where_everything_begins() -> None:
    document = LocatedJSON('{"a": 1,\n "b": [true,\n  {"c": "x"}]}')

    places = {
        path: line_and_column(document.text, position)
        for path, position in document.values.items()
    }

    assert places == {
        (): (1, 1),
        ("a",): (1, 7),
        ("b",): (2, 7),
        ("b", 0): (2, 8),
        ("b", 1): (3, 3),
        ("b", 1, "c"): (3, 9),
    }
    assert line_and_column(document.text, document.position(("b",), of_key=True)) == (2, 2)


def test_what_is_missing_is_where_its_parent_is() -> None:
    document = LocatedJSON('{"a": {}}')

    assert document.position(("a", "b", "c")) == document.position(("a",))
