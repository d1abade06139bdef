"""Whatever is written in a model file, it is loaded, or refused with located problems."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.unit.timber.conftest import BUILT_IN
from tests.unit.timber.modeling.test_checks import FRIENDS, GOOD, LETTERS

from timber.common.errors import ModelFileError
from timber.common.modeling.column_types import TYPE_NAMES, parse_type
from timber.common.runtime import Timber
from timber.common.settings import TimberSettings

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def load(text: str) -> tuple[str, ...]:
    """Open a Timber on a file of this text, and return the names of its models."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models.yaml").write_bytes(text.encode(errors="surrogatepass"))
        given_settings = TimberSettings(model_config_dirs=(Path(folder),), packaged_models=False)
        with Timber().opened(given_settings) as timber:
            return timber.models.names()


ARGUMENTS = {
    "String": "(36)",
    "Unicode": "(36)",
    "CHAR": "(2)",
    "Numeric": "(10, 2)",
    "Vector": "(3)",
    "Enum": "(draft, done)",
    "Array": "(Integer)",
}
types = st.sampled_from([name + ARGUMENTS.get(name, "") for name in TYPE_NAMES if name != "Array"])


@st.composite
def valid_files(draw: st.DrawFn) -> dict[str, Any]:
    """Give a model file without a mistake, in which models point to models before them."""
    models: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        columns = [{"name": "id", "type": "Integer", "primary_key": True}]
        columns += [
            {
                "name": f"field_{position}",
                "type": draw(types),
                "nullable": draw(st.booleans()),
                "index": draw(st.booleans()),
            }
            for position in range(draw(st.integers(0, 4)))
        ]
        targets = draw(st.sets(st.integers(0, number), max_size=2))
        columns += [
            {"name": f"to_{target}", "type": "Integer", "foreign_key": f"table_{target}.id"}
            for target in targets
        ]
        relationships = [
            {"name": f"link_{target}", "model": f"Model{target}", "type": "many_to_one"}
            for target in targets
        ]
        models.append(
            {
                "name": f"Model{number}",
                "table_name": f"table_{number}",
                "mixins": draw(
                    st.lists(st.sampled_from(["TimestampMixin", "SoftDeleteMixin"]), max_size=2)
                ),
                "columns": columns,
                "relationships": relationships,
            }
        )
    return {"version": "1.0.0", "models": draw(st.permutations(models))}


def check_that_it_opens(file: dict[str, Any]) -> None:
    names = load(yaml.safe_dump(file))

    assert set(names) == {*BUILT_IN, *(model["name"] for model in file["models"])}


@settings(quick, max_examples=20)
@given(valid_files())
def test_a_file_without_a_mistake_opens(file: dict[str, Any]) -> None:
    check_that_it_opens(file)


@pytest.mark.slow
@settings(quick, max_examples=500)
@given(valid_files())
def test_five_hundred_files_without_a_mistake_open(file: dict[str, Any]) -> None:
    check_that_it_opens(file)


INDICATORS = st.sampled_from("-:[]{}&*!|>'\"#,?@%`~\t\n01ü\x00\ufeff\ud800")
WORDS = st.sampled_from(
    [
        "1e9",
        "null",
        "true",
        "id",
        "notes",
        "Note",
        "users",
        "Tag",
        "String(36)",
        "String(0)",
        "Integer",
        "JSON",
        "uuid4",
        "now",
        "state",
        "user",
        "metadata",
        "many_to_many",
        "one_to_one",
        "one_to_many",
        "many_to_one",
        "name:",
        "type:",
        "default:",
        "foreign_key:",
        "nullable:",
        "primary_key:",
        "unique:",
        "back_populates:",
        "columns:",
        "models:",
    ]
)


@quick
@given(
    st.sampled_from([GOOD, LETTERS, FRIENDS]),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), INDICATORS | WORDS | st.text(max_size=5)),
        min_size=1,
        max_size=4,
    ),
)
def test_a_mutated_file_opens_or_is_refused_with_problems(
    text: str, mutations: list[tuple[float, int, str]]
) -> None:
    for place, removed, word in mutations:
        start = int(place * len(text))
        text = text[:start] + word + text[start + removed :]

    refusal_of(text)


@quick
@given(st.sampled_from([GOOD, LETTERS, FRIENDS]), st.data())
def test_a_file_with_swapped_values_opens_or_is_refused_with_problems(
    text: str, data: st.DataObject
) -> None:
    tokens = text.replace(",", " , ").replace("}", " }").split(" ")
    places = [place for place, token in enumerate(tokens) if token.strip(",{}[]:-\n")]
    for _ in range(data.draw(st.integers(1, 3))):
        one, other = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(places))
        tokens[one] = tokens[other]

    refusal_of(" ".join(tokens))


def refusal_of(text: str) -> None:
    try:
        load(text)
    except ModelFileError as error:
        for problem in error.problems:
            source, line, column, _message = problem.split(":", 3)
            assert source.endswith(".yaml")
            assert int(line) >= 1
            assert int(column) >= 1


@given(st.text(alphabet="StringNumericJSONText(0123456789, )", max_size=20))
def test_a_type_is_known_or_a_value_error(written: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_type(written).build() is not None
