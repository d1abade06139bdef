"""The JSON Schema of model files, by which editors complete and check them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import CoreSchema
from typing_extensions import override

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


_RULES: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "ColumnSpec": {"if": _is("primary_key", True), "then": _one_of("nullable", False, None)},  # noqa: FBT003 - values of YAML
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
