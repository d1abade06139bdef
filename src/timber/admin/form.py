"""From the columns of a model to the fields of its lists and forms."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Column, Enum, Text as LongText
from starlette.requests import Request
from starlette_admin.contrib.sqla.fields import MultiplePKField
from starlette_admin.fields import BaseField

from timber.admin.fields import (
    BlockField,
    ChoiceField,
    LineField,
    MaskedField,
    ReferenceField,
    Rule,
    SetField,
)
from timber.admin.filters import CHOICE_FILTERS, filters_of
from timber.admin.shape import Shape
from timber.admin.texts import python_type, text_of

_INPUT_TYPES: Final[Mapping[type, str]] = {
    int: "number",
    date: "date",
}
_HINTS: Final[Mapping[type, str]] = {
    datetime: "UTC",
    dict: "JSON",
    bytes: "base64",
    Decimal: "a number",
    float: "a number",
}
_MADE: Final = ("uuid4", "uuid7", "now")
"""Defaults that differ from row to row."""


class FormBuilder:
    """Makes the fields of one model."""

    def __init__(self, shape: Shape, shapes: Mapping[str, Shape]) -> None:
        self._shape = shape
        self._references = {
            reference.column: reference.model
            for reference in shape.references(tuple(shapes.values()))
        }

    def fields(self) -> Iterator[BaseField]:
        """Give the fields in the order they are shown."""
        for name, column in self._shape.columns.items():
            yield self._finished(self._field(name, column), name, column)
        for name, model in self._shape.sets():
            yield SetField(
                name=name, key=model, exclude_from_list=True, searchable=False, orderable=False
            )
        if len(self._shape.key_columns) > 1:
            yield MultiplePKField(self._shape.key_columns)

    def _field(self, name: str, column: "Column[Any]") -> BaseField:
        kind = python_type(column)
        nullable = bool(column.nullable)
        rule = Rule(
            text=text_of(column),
            nullable=nullable,
            has_default=column.default is not None
            or column.server_default is not None
            or _counts_itself(column),
        )
        if name in self._shape.masked:
            hint = "Masked. What you type replaces it; empty, it stays as it is."
            return MaskedField(name=name, rule=rule, help_text=hint)
        is_reference = name in self._references
        filters = filters_of(kind, is_reference=is_reference, nullable=nullable)
        if is_reference:
            key = self._references[name]
            return ReferenceField(name=name, rule=rule, key=key, filters=filters)
        if (choices := self._choices(name, column)) is not None:
            filters = [*CHOICE_FILTERS, *filters[-2:]] if nullable else [*CHOICE_FILTERS]
            return ChoiceField(name=name, rule=rule, allowed=choices, filters=filters)
        if kind in {dict, list, bytes} or isinstance(column.type, LongText):
            return BlockField(
                name=name,
                rule=rule,
                rows=8 if kind is dict else 4,
                filters=filters,
                class_=f"form-control{' font-monospace' if kind is not str else ''}",
            )
        return LineField(
            name=name, rule=rule, filters=filters, input_type=_INPUT_TYPES.get(kind, "text")
        )

    def _choices(self, name: str, column: "Column[Any]") -> Any:
        states = self._shape.spec.states
        if states and name == states.column:
            return self._next_states
        if isinstance(column.type, Enum):
            known = [(one, one) for one in column.type.enums]
            return lambda _: known
        if python_type(column) is bool:
            return lambda _: [("true", "Yes"), ("false", "No")]
        return None

    def _next_states(self, request: Request) -> list[tuple[str, str]]:
        """Return what may be chosen for the row of the request; without one, every state."""
        states = self._shape.spec.states
        if states is None:
            return []
        action = getattr(request.state, "action", None)
        if action is not None and action.value == "CREATE":
            return [(states.initial, states.initial)]
        row = getattr(request.state, "row", None)
        if row is None:
            shown = [states.initial, *sorted(states.all - {states.initial})]
        else:
            now = getattr(row, states.column)
            shown = [state for state in (now, *states.transitions.get(now, ())) if state]
        return [(state, state) for state in shown]

    def _finished(self, field: BaseField, name: str, column: "Column[Any]") -> BaseField:
        shape, kind = self._shape, python_type(column)
        is_key, is_kept = name in shape.key_columns, name in shape.kept
        filled_in = column.default is not None or _counts_itself(column)
        spec = shape.spec.column(name)
        described = spec.description if spec else None
        field.help_text = field.help_text or described or (None if is_kept else _HINTS.get(kind))
        field.required = not column.nullable and not filled_in and name not in shape.masked
        field.exclude_from_edit = is_key or is_kept
        field.exclude_from_create = is_kept or (is_key and filled_in)
        field.exclude_from_list = kind is bytes
        field.default = self._first_value(name)
        return field

    def _first_value(self, name: str) -> Any:
        """Return the value that a new row gets, if it is the same for each."""
        spec, states = self._shape.spec.column(name), self._shape.spec.states
        if states and name == states.column:
            return states.initial
        return None if spec is None or spec.default in _MADE else spec.default


def _counts_itself(column: "Column[Any]") -> bool:
    return column is getattr(column.table, "autoincrement_column", None)
