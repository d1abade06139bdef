"""The fields of lists and forms, which accept what a column accepts and say what they refuse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette_admin.fields import (
    EnumField,
    HasMany,
    HasOne,
    StringField,
    TextAreaField,
)
from starlette_admin.types import RequestAction
from typing_extensions import override

from timber.admin.texts import Text, Unread

MASK: Final = "••••••"
UNCHANGED: Final = Unread("", "")
"""What a masked field holds when nothing was typed into it."""
REQUIRED: Final = "this must have a value"
_SHORT: Final = 200


@dataclass(kw_only=True)
class Rule:
    """What a column accepts."""

    text: Text
    nullable: bool
    has_default: bool

    def read(self, raw: Any) -> Any:
        """Return the value that was typed, or an `Unread` with the reason why there is none."""
        if not isinstance(raw, str) or raw == "":
            return None
        try:
            return self.text.parse(raw)
        except ValueError as error:
            return Unread(raw, str(error))

    def check(self, request: Request, value: Any) -> None:
        """Refuse what cannot be stored.

        Raises:
            ValueError: it says why.

        """
        if value is UNCHANGED:
            return
        if isinstance(value, Unread):
            raise ValueError(value.problem)  # noqa: TRY004 - it is a value typed wrong
        filled_in = self.has_default and request.state.action is RequestAction.CREATE
        if value is None and not self.nullable and not filled_in:
            raise ValueError(REQUIRED)


class ColumnField:
    """Reads and writes by the rule of its column; put before any widget of the library.

    It is no field itself, or its templates would hide those of the widget.
    """

    rule: Rule
    id: str

    async def parse_form_data(self, _request: Request, form_data: FormData) -> Any:
        return self.rule.read(form_data.get(self.id))

    async def validate(self, request: Request, value: Any, _values: dict[str, Any]) -> None:
        self.rule.check(request, value)

    async def serialize_value(self, _request: Request, value: Any) -> Any:
        return self.written(value)

    def written(self, value: Any) -> str | None:
        """Return what stands in a form for a value, or for what was typed and is none."""
        return value if value is None or isinstance(value, Unread) else self.rule.text.write(value)


@dataclass(kw_only=True)
class LineField(ColumnField, StringField):
    """A value on one line."""

    rule: Rule


@dataclass(kw_only=True)
class BlockField(ColumnField, TextAreaField):
    """A value of many lines, cut short in lists."""

    rule: Rule
    list_template: str = "fields/list/text.html"

    @override
    async def serialize_value(self, request: Request, value: Any) -> Any:
        text = await super().serialize_value(request, value)
        if request.state.action is RequestAction.LIST:
            line = " ".join(text.split())
            return line if len(line) <= _SHORT else f"{line[:_SHORT]}…"
        return text


@dataclass(kw_only=True)
class MaskedField(LineField):
    """A value that is never shown: what is typed replaces it, nothing typed leaves it."""

    input_type: str = "password"

    @override
    def input_params(self) -> str:
        return f'{super().input_params()} autocomplete="new-password"'

    @override
    async def parse_form_data(self, request: Request, form_data: FormData) -> Any:
        value = await super().parse_form_data(request, form_data)
        if value is None and request.state.action is RequestAction.EDIT:
            return UNCHANGED
        return value

    @override
    async def serialize_value(self, request: Request, value: Any) -> Any:
        return None if request.state.action.is_form() else MASK

    @override
    def written(self, value: Any) -> str | None:
        return None


@dataclass(kw_only=True)
class ChoiceField(ColumnField, EnumField):
    """One of some values; `allowed` says which they are for the row of a request."""

    rule: Rule
    allowed: Callable[[Request], list[tuple[str, str]]]

    @override
    def __post_init__(self) -> None:
        self.choices_loader = self.allowed
        self.coerce = _as_it_is
        super().__post_init__()


@dataclass(kw_only=True)
class ReferenceField(ColumnField, HasOne):
    """A foreign key: a picker that asks for twenty rows at a time, and a link with a name."""

    rule: Rule

    @override
    async def serialize_value(self, request: Request, value: Any) -> Any:
        key = self.written(value)
        if request.state.action.is_form():
            return key
        labels = getattr(request.state, "labels", {})
        label = labels.get((self.name, value), key)
        view = self._view._find_foreign_view(str(self.key)) if self._view else None  # noqa: SLF001
        return {str(view.pk_attr) if view else "": key, "_meta": {"repr": label}}


@dataclass(kw_only=True)
class SetField(HasMany):
    """The rows on the other side of a many-to-many, read only where they are shown."""

    @override
    async def parse_obj(self, request: Request, obj: Any) -> Any:
        return await self._view.linked(obj, self.name) if self._view else ()  # type: ignore[attr-defined]


def _as_it_is(value: Any) -> Any:
    return value


def as_html(label: str, key: str) -> str:
    """Return a row as pickers show it, escaped."""
    if label == key:
        return str(Markup("<span>{}</span>").format(label))
    return str(
        Markup('<span>{} <small class="text-secondary">{}</small></span>').format(label, key)
    )
