"""What the words of a model file look like: names, references, types and conditions."""

import keyword
import re
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    WithJsonSchema,
)

from timber.common.modeling.column_types import parse_type
from timber.common.modeling.conditions import parse_condition, parse_guard

MAX_NAME: Final = 63
"""How long a name may be: PostgreSQL cuts longer ones."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE: Final = re.compile(r"[^.\s]+\.[^.\s]+")
_ORDER: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?: +(asc|desc))?")


class Spec(BaseModel):
    """A mapping of a model file: what it does not know, it refuses."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


def _identifier(name: str) -> str:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ValueError(f"{name[:MAX_NAME]!r} cannot be a name: use letters, digits and _")
    if name.startswith("__"):
        raise ValueError(f"{name!r} cannot be a name: two leading underscores are Python's own")
    return name


def _reference(written: str) -> str:
    if not _REFERENCE.fullmatch(written):
        raise ValueError("write a foreign key as `table.column`")
    return written


def _type(written: str) -> str:
    parse_type(written)
    return written


def _condition(written: str) -> str:
    parse_condition(written)
    return written


def _guard(written: str) -> str:
    parse_guard(written)
    return written


def _order(written: str) -> str:
    if not _ORDER.fullmatch(written):
        raise ValueError("write an order as `column` or `column desc`")
    return written


def _listed(written: Any) -> Any:
    return (written,) if isinstance(written, str) else written


def _one_or_more(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_identifier)]
Reference = Annotated[StrictStr, AfterValidator(_reference)]
"""A column of another table, as `table.column`."""
TypeName = Annotated[StrictStr, AfterValidator(_type)]
ConditionText = Annotated[StrictStr, Field(min_length=1), AfterValidator(_condition)]
"""A condition on one row, such as `price > 0`."""
GuardText = Annotated[StrictStr, Field(min_length=1), AfterValidator(_guard)]
"""A condition on one row that may look into JSON, such as `data.score >= 0.5`."""
Order = Annotated[StrictStr, AfterValidator(_order)]
"""`column`, or `column desc`."""

Names = Annotated[tuple[Name, ...], Field(min_length=1)]
OneOrMoreNames = Annotated[
    tuple[Name, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    _one_or_more({"type": "string", "maxLength": MAX_NAME}),
]
"""A name, or a list of them."""
Orders = Annotated[
    tuple[Order, ...],
    BeforeValidator(_listed),
    _one_or_more({"type": "string"}),
]


def order_of(written: str) -> tuple[str, bool]:
    """Return the column of an order, and whether the largest comes first."""
    name, _, direction = written.partition(" ")
    return name, direction.strip() == "desc"
