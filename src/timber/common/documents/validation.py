"""From pydantic's errors to sentences with a place and a suggestion."""

import difflib
import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from timber.common.documents.document import MAX_PROBLEMS, Document, Path
from timber.common.errors import DocumentError

Model = TypeVar("Model", bound=BaseModel)

_MUST_BE: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_OLD_BOOLEANS: Final = {
    **dict.fromkeys(("yes", "y", "on"), "true"),
    **dict.fromkeys(("no", "n", "off"), "false"),
}
"""What YAML 1.1 took for true and false, and YAML 1.2 takes for text."""
_QUOTED: Final = re.compile(r"'([^']*)'")


def validate(model: type[Model], document: Document) -> Model:
    """Return the document as a `model`.

    Raises:
        DocumentError: with every problem, as
            `file:line:col: what is wrong (at models.0.columns.2); did you mean 'x'?`.

    """
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        found = [one for one in error.errors(include_url=False) if not _only_follows(one)]
        told = (_problem(details, model, document) for details in found[:MAX_PROBLEMS])
        raise DocumentError(tuple(dict.fromkeys(told))) from None


def closest(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known word nearest to `word`, or nothing."""
    if not isinstance(word, str):
        return ""
    spelled = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word[:100].lower(), spelled, n=1)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""


def _only_follows(details: ErrorDetails) -> bool:
    """Say whether a list is only "too short" because each of its broken items was left out."""
    if details["type"] != "too_short" or not isinstance(details["input"], list):
        return False
    return bool(len(details["input"]) >= details["ctx"]["min_length"])


def _problem(details: ErrorDetails, model: type[BaseModel], document: Document) -> str:
    path = _path(details["loc"], document.value)
    match details["type"]:
        case "extra_forbidden":
            name = path[-1] if path else ""
            fields = _field_names(model, details["loc"][:-1])
            message = f"unknown key {name!r}{closest(name, fields)}"
            return document.problem(path, message, of_key=True)
        case "missing":
            return document.problem(path, f"{details['loc'][-1]!r} is missing")
        case "literal_error" | "enum":
            expected = details.get("ctx", {}).get("expected", "")
            known = _QUOTED.findall(expected)
            message = f"must be {expected}{closest(details['input'], known)}"
            return document.problem(path, message)
        case kind if kind in _MUST_BE:
            return document.problem(path, f"must be {_MUST_BE[kind]}{_meant(details['input'])}")
        case _:
            said = details["msg"].removeprefix("Value error, ")
            return document.problem(path, said[:1].lower() + said[1:])


def _meant(written: object) -> str:
    if isinstance(written, str) and (meant := _OLD_BOOLEANS.get(written.lower())):
        return f", and {written} is text; did you mean {meant}?"
    return ""


def _path(loc: tuple[int | str, ...], value: Any) -> Path:
    """Keep of pydantic's location what is in the document: not the names of union members."""
    path: list[str | int] = []
    for part in loc:
        inside_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if inside_list or (isinstance(value, dict) and part in value):
            path.append(part)
            value = value[part]
    return tuple(path)


def _field_names(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Return the keys that are known where `loc` leads."""
    models = {model}
    for part in loc:
        stepped: set[type[BaseModel]] = set()
        for one in models:
            for name, field in one.model_fields.items():
                if part in {name, field.alias}:
                    stepped |= _models_in(field.annotation)
        models = stepped or models
    return {field.alias or name for one in models for name, field in one.model_fields.items()}


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    if get_origin(annotation) in {Union, UnionType, Annotated, list, tuple, dict}:
        return {model for part in get_args(annotation) for model in _models_in(part)}
    return set()
