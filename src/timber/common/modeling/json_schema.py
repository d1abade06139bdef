"""The JSON Schema of model files, by which editors complete and check them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import CoreSchema
from typing_extensions import override

from timber.common.modeling.spec import ModelFile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _is(key: str, *, value: object) -> dict[str, Any]:
    """Return a schema that demands `key: value`."""
    return {"properties": {key: {"const": value}}, "required": [key]}


def _has(key: str, kind: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that demands `key` with a value of that kind."""
    return {"properties": {key: kind}, "required": [key]}


_TEXT: Final[dict[str, Any]] = {"type": "string"}
_FULL_TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1}

_RULES: Final[Mapping[str, list[dict[str, Any]]]] = MappingProxyType(
    {
        "ColumnSpec": [
            {"not": {"allOf": [_is("primary_key", value=True), _is("nullable", value=True)]}}
        ],
        "RelationshipSpec": [
            {
                "if": _is("type", value="many_to_many"),
                "then": {**_has("secondary", _TEXT), "not": _has("foreign_key", _TEXT)},
                "else": {"not": _has("secondary", _TEXT)},
            }
        ],
        "GdprSpec": [
            {
                "if": _is("on_erase", value="retain"),
                "then": _has("reason", _FULL_TEXT),
                "else": {"not": _has("reason", _FULL_TEXT)},
            }
        ],
    }
)
"""What the validators of a whole entry refuse; a test holds the two together."""


class _ForEditors(GenerateJsonSchema):
    """Leaves out what only clutters a completion: titles, and `null` as a default."""

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
        for name, rules in _RULES.items():
            written["$defs"][name]["allOf"] = rules
        return {"$schema": DIALECT, **written, "title": "Timber model file"}


def model_file_schema() -> dict[str, Any]:
    """Return the schema of one model file, JSON or YAML.

    It accepts every file that can be read, and refuses what is wrong in form. That names exist
    elsewhere, that a default fits its type and a size its limit, only `timber check` can tell.
    """
    return ModelFile.model_json_schema(schema_generator=_ForEditors)
