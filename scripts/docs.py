"""Write `docs/settings.md` and `docs/errors.md` from the code that they describe."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

DOCS: Final = Path(__file__).parents[1] / "docs"
SETTINGS: Final = {
    "Puppet Engine": "puppet_engine.core.settings",
    "Timber": "timber.common.settings",
    "Timber's admin site": "timber.admin.settings",
}
ERRORS: Final = {"Puppet Engine": "puppet_engine.core.errors", "Timber": "timber.common.errors"}
T = TypeVar("T")
NOTICE: Final = "<!-- Written by `make docs`; change the code instead. -->"


def pages() -> dict[Path, str]:
    """Return the text that each generated page should have."""
    return {DOCS / "settings.md": settings_page(), DOCS / "errors.md": errors_page()}


# ------------------------------------------------------------------ settings


def settings_page() -> str:
    """Return the page of everything an operator can set."""
    parts = ["# Settings", NOTICE]
    for title, module_name in SETTINGS.items():
        for model in _defined(importlib.import_module(module_name), BaseModel):
            parts += [f"## {title}", inspect.getdoc(model) or "", _settings_table(model)]
    return _joined(parts)


def _settings_table(model: type[BaseModel]) -> str:
    explained = attribute_docs(model)
    prefix = str(model.model_config.get("env_prefix", ""))
    rows = ["| argument | environment | type | default | meaning |", "|--|--|--|--|--|"]
    for name, field in model.model_fields.items():
        variables = " or ".join(f"`{variable}`" for variable in _variables(name, field, prefix))
        cells = (f"`{name}`", variables, _type(field), _default(field), explained.get(name, ""))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def attribute_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the strings that stand below the attributes of a class, each on one line."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for attribute, below in pairwise(body):
        if isinstance(attribute, ast.AnnAssign) and isinstance(below, ast.Expr):
            found[ast.unparse(attribute.target)] = " ".join(ast.literal_eval(below.value).split())
    return found


def _variables(name: str, field: FieldInfo, prefix: str) -> list[str]:
    if isinstance(field.validation_alias, AliasChoices):
        return [str(choice) for choice in field.validation_alias.choices]
    return [f"{prefix}{name}".upper()] if prefix else []


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    if "[" in str(annotation):
        text = str(annotation)
    for module in (
        "typing.",
        "pathlib._local.",
        "pathlib.",
        "collections.abc.",
        "pydantic.types.",
    ):
        text = text.replace(module, "")
    return "`" + text.replace("|", "\\|") + "`"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "unset"
    if isinstance(value, SecretStr):
        return "a secret"
    shown = value.as_posix() if isinstance(value, Path) else value
    return f"`{shown!r}`" if not isinstance(shown, str) else f"`{shown}`"


# ------------------------------------------------------------------ errors


def errors_page() -> str:
    """Return the page of every error that can be caught."""
    parts = ["# Errors", NOTICE]
    for title, module_name in ERRORS.items():
        parts += [f"## {title}", _errors_list(importlib.import_module(module_name))]
    return _joined(parts)


def _errors_list(module: ModuleType) -> str:
    errors = list(_defined(module, Exception))
    rows = ["| error | is also | raised when |", "|--|--|--|"]
    for error in errors:
        parents = ", ".join(f"`{parent.__name__}`" for parent in error.__bases__)
        first_line = (inspect.getdoc(error) or "").partition("\n")[0]
        rows.append(f"| `{error.__name__}` | {parents} | {first_line} |")
    return "\n".join(rows)


# ------------------------------------------------------------------ both


def _defined(module: ModuleType, kind: type[T]) -> Iterator[type[T]]:
    """Yield the classes of a kind that a module defines, in the order of its text."""
    for thing in vars(module).values():
        if inspect.isclass(thing) and issubclass(thing, kind) and _is_public(thing, module):
            yield thing


def _is_public(thing: type, module: ModuleType) -> bool:
    return thing.__module__ == module.__name__ and not thing.__name__.startswith("_")


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def main() -> None:
    """Write every generated page."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
