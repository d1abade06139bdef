"""The Python type of a column's values, as a type checker reads it."""

import builtins
import json
from collections.abc import Set as AbstractSet
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from sqlalchemy import ARRAY, JSON, Column, Enum
from sqlalchemy.types import TypeDecorator, TypeEngine

from timber.common.modeling.sealed import Sealed

_BUILTINS: Final = builtins.__name__


class Names:
    """The names that a generated module imports; none is one of `taken`."""

    def __init__(self, taken: AbstractSet[str]) -> None:
        self._taken = taken
        self._imported: dict[tuple[str, str], str] = {}

    def of(self, kind: type) -> str:
        """Return how the module writes a class."""
        return self.imported(kind.__module__, kind.__qualname__)

    def imported(self, module: str, name: str) -> str:
        """Return how the module writes a name of another, which it imports from now on."""
        known = self._imported.get((module, name))
        if known is None:
            known = self.free(name)
            self._imported[module, name] = known
        return known

    def free(self, name: str) -> str:
        """Return the name, with underscores around it where it is taken."""
        used = {*self._taken, *self._imported.values()}
        while name in used:
            name = f"{name}_" if name.startswith("_") else f"_{name}"
        return name

    def imports(self) -> list[str]:
        """Return the lines that import everything used so far."""
        lines: dict[str, list[str]] = {}
        for (module, name), known in sorted(self._imported.items()):
            if known != name:
                lines.setdefault(module, []).append(f"{name} as {known}")
            elif module != _BUILTINS:
                lines.setdefault(module, []).append(name)
        return [f"from {module} import {', '.join(names)}" for module, names in lines.items()]


def value_type(column: Column[Any], names: Names) -> str:
    """Return the type of the column's values, None among them where it may be null."""
    kind = column.type
    written = _annotation(kind.column.plain if isinstance(kind, Sealed) else kind, names)
    return f"{written} | None" if column.nullable and not written.endswith("Any") else written


def _annotation(kind: TypeEngine[Any], names: Names) -> str:
    bare = undecorated(kind)
    declared = _declared(kind)
    if declared is not None:
        return _written(declared, names)
    if isinstance(bare, Enum) and bare.enum_class is None:
        return f"{names.imported('typing', 'Literal')}[{', '.join(map(quoted, bare.enums))}]"
    if isinstance(bare, ARRAY):
        return f"{names.of(list)}[{_annotation(bare.item_type, names)}]"
    if isinstance(bare, JSON):
        return _written(Any, names)
    return _written(_plain(kind) or _plain(bare) or Any, names)


def _declared(kind: TypeEngine[Any]) -> Any:
    """Return what a decorator of ours says that it makes of a stored value; None if nothing."""
    if not isinstance(kind, TypeDecorator):
        return None
    makes = type(kind).process_result_value
    if makes is TypeDecorator.process_result_value:
        return None
    try:
        found = get_type_hints(makes).get("return")
    except NameError:
        # Its annotations are for type checkers only.
        return None
    several = [one for one in get_args(found) if one is not NoneType]
    return several[0] if get_origin(found) in {Union, UnionType} and len(several) == 1 else found


def _plain(kind: TypeEngine[Any]) -> type | None:
    """Return the class that the type itself names; None if it names none."""
    try:
        found = kind.python_type
    except NotImplementedError:
        return None
    return None if found is object else found


def _written(kind: Any, names: Names) -> str:
    """Return how the module writes a class, or a generic one with its arguments."""
    origin = get_origin(kind)
    if isinstance(origin, type):
        arguments = ", ".join(_written(argument, names) for argument in get_args(kind))
        return f"{names.of(origin)}[{arguments}]"
    return names.of(kind) if isinstance(kind, type) else names.imported("typing", "Any")


def quoted(text: str) -> str:
    """Return the text as a literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def undecorated(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the database type inside the decorators of SQLAlchemy."""
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind
