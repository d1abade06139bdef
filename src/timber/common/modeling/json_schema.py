"""The JSON Schema of model files, by which editors complete and check them."""

import keyword
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import AfterValidator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import AfterValidatorFunctionSchema, CoreSchema
from typing_extensions import override

from timber.common.modeling.column_types import TYPE_NAMES, parse_type
from timber.common.modeling.notation import Name, Reference, TypeName
from timber.common.modeling.spec import ModelFile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _is(key: str, value: object) -> dict[str, Any]:
    """Return a schema that demands `key: value`."""
    return {"properties": {key: {"const": value}}, "required": [key]}


def _one_of(key: str, *values: object) -> dict[str, Any]:
    """Return a schema that allows no other value for `key`."""
    return {"properties": {key: {"enum": list(values)}}}


def _text(key: str) -> dict[str, Any]:
    """Return a schema that demands a text for `key`."""
    return {"properties": {key: {"type": "string", "minLength": 1}}, "required": [key]}


_ACTIONS: Final = ("on_delete", "on_update")
"""What only a foreign key can have."""

_RULES: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "ColumnSpec": {
            "allOf": [
                {"if": _is("primary_key", True), "then": _one_of("nullable", False, None)},  # noqa: FBT003 - values of YAML
                *({"if": _text(key), "then": _text("foreign_key")} for key in _ACTIONS),
            ]
        },
        "RelationshipSpec": {
            "if": _is("type", "many_to_many"),
            "then": {"allOf": [_text("secondary"), _one_of("foreign_key", None)]},
            "else": _one_of("secondary", None),
        },
        "GdprSpec": {
            "if": _is("on_erase", "retain"),
            "then": _text("reason"),
            "else": _one_of("reason", None, ""),
        },
    }
)
"""What the validators of a whole entry refuse; a test holds the two together."""


def _reads(written: str) -> bool:
    try:
        parse_type(written)
    except ValueError:
        return False
    return True


def _spelling(name: str) -> str:
    """Return the regular expression of a type, found by asking the reader of types itself."""
    number = r"\s*[0-9]+\s*"
    if _reads(name):
        return name
    if _reads(f"{name}(1)") and not _reads(f"{name}(x)"):
        return rf"{name}\s*\({number}\)"
    if _reads(f"{name}(1, 1)") and not _reads(f"{name}(x, x)"):
        return rf"{name}\s*\({number},{number}\)"
    return rf"{name}\s*\(.+\)"


def _type_schema() -> dict[str, Any]:
    """Return the names of types, which editors propose, and every way to write one."""
    spellings = "|".join(map(_spelling, TYPE_NAMES))
    return {
        "anyOf": [
            {"enum": [name for name in TYPE_NAMES if _reads(name)]},
            {"pattern": rf"^\s*({spellings})\s*$"},
        ],
        "examples": [example for example in _EXAMPLES if _reads(example)],
    }


def _validator(annotated: Any) -> object:
    """Return the function by which a type of the dialect checks its values."""
    [validator] = (one for one in annotated.__metadata__ if isinstance(one, AfterValidator))
    return validator.func


_EXAMPLES: Final = ("String(36)", "Numeric(10, 2)", "Enum(draft, done)", "Array(String(20))")
_SPELLED: Final[Mapping[object, dict[str, Any]]] = MappingProxyType(
    {
        _validator(Name): {
            "pattern": "^(?!__)[A-Za-z_][A-Za-z0-9_]*$",
            "not": {"enum": keyword.kwlist},
        },
        _validator(Reference): {"pattern": r"^[^.]+\.[^.]+$", "examples": ["users.user_id"]},
        _validator(TypeName): _type_schema(),
    }
)
"""What the validators of single values refuse."""


class _ForEditors(GenerateJsonSchema):
    """Says what validators check; leaves out titles, and `null` as a default, which clutter."""

    @override
    def function_after_schema(self, schema: AfterValidatorFunctionSchema) -> JsonSchemaValue:
        spelled = _SPELLED.get(schema["function"]["function"], {})
        return {**super().function_after_schema(schema), **spelled}

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    @override
    def default_schema(self, schema: Any) -> JsonSchemaValue:
        written = super().default_schema(schema)
        if written.get("default", written) is None:
            del written["default"]
        return written

    @override
    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        written = super().generate(schema, mode)
        for name, entry in written["$defs"].items():
            del entry["title"]
            entry.update(_RULES.get(name, {}))
        return {"$schema": DIALECT, **written, "title": "Timber model file"}


def model_file_schema() -> dict[str, Any]:
    """Return the schema of one model file, JSON or YAML.

    It accepts every file that can be read, and refuses what is wrong in form. That names exist
    elsewhere, that a default fits its type and a size its limit, only `timber check` can tell.
    """
    return ModelFile.model_json_schema(schema_generator=_ForEditors)
