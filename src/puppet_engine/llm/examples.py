"""Examples of JSON Schemas: what a provider without a model answers where an object is asked for.

Of JSON Schema it knows what pydantic writes for data: `properties`, `$ref`, `anyOf`, `oneOf`,
`allOf`, `enum`, `const`, `items`, `prefixItems`, `additionalProperties` and the bounds of
numbers, lengths of texts and of arrays. A `pattern` is not kept to.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

DEEPEST: Final = 6
"""How deep a schema that holds itself is followed as far as it allows to stop."""

_MOST_ITEMS: Final = 2
_SPAN: Final = 10
"""How wide the range of a number is taken that has one bound only."""


def example_of(schema: Schema, chance: random.Random, *, say: Callable[[], str]) -> Any:
    """Return a value that fits a schema; its texts are what `say` returns."""
    return _Example(schema.get("$defs", {}), chance, say).of(schema, 0)


class _Example:
    def __init__(
        self, definitions: Mapping[str, Schema], chance: random.Random, say: Callable[[], str]
    ) -> None:
        self._definitions = definitions
        self._chance = chance
        self._say = say

    def of(self, schema: Schema, depth: int) -> Any:
        schema = self._plain(schema, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        make = _MAKERS.get(kind, _Example.text)
        return make(self, schema, depth)

    def _plain(self, schema: Schema, depth: int) -> Schema:
        """Return one of the schemas that a schema stands for, which stands for itself."""
        while True:
            if "$ref" in schema:
                schema = self._definitions[schema["$ref"].rpartition("/")[2]]
            elif schemas := schema.get("anyOf") or schema.get("oneOf"):
                schema = self._choice(schemas, depth)
            elif "allOf" in schema:
                schema = {name: part[name] for part in schema["allOf"] for name in part}
            else:
                return schema

    def _choice(self, schemas: list[Schema], depth: int) -> Schema:
        """Return one of several; the barest ones only, where it has gone deep enough."""
        ends = [each for each in schemas if "$ref" not in each and "items" not in each]
        return self._chance.choice(ends if depth >= DEEPEST and ends else schemas)

    def object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        return {
            name: self.of(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or depth < DEEPEST
        }

    def array(self, schema: Schema, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.of(part, depth + 1) for part in schema["prefixItems"]]
        least = schema.get("minItems", 0)
        most = max(least, min(schema.get("maxItems", _MOST_ITEMS), least + _MOST_ITEMS))
        count = least if depth >= DEEPEST else self._chance.randint(least, most)
        return [self.of(schema.get("items", {}), depth + 1) for _ in range(count)]

    def text(self, schema: Schema, _depth: int) -> str:
        text = self._say()[: schema.get("maxLength")]
        return text.ljust(schema.get("minLength", 0), ".")

    def integer(self, schema: Schema, _depth: int) -> int:
        low, high = _bounds(schema, step=1)
        return self._chance.randint(int(low), int(high))

    def number(self, schema: Schema, _depth: int) -> float:
        low, high = _bounds(schema, step=1e-6)
        return round(self._chance.uniform(low, high), 6)

    def boolean(self, _schema: Schema, _depth: int) -> bool:
        return bool(self._chance.getrandbits(1))

    def null(self, _schema: Schema, _depth: int) -> None:
        return None


_MAKERS: Final[dict[str, Callable[[_Example, Schema, int], Any]]] = {
    "object": _Example.object,
    "array": _Example.array,
    "integer": _Example.integer,
    "number": _Example.number,
    "boolean": _Example.boolean,
    "null": _Example.null,
    "string": _Example.text,
}


def _bounds(schema: Schema, *, step: float) -> tuple[float, float]:
    """Return the least and the greatest number; one bound alone is given a span to the other."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + step
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - step
    if low is None:
        return (0, _SPAN) if high is None else (high - _SPAN, high)
    return low, low + _SPAN if high is None else high
