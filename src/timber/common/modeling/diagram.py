"""Draws mapped models as an entity-relationship diagram in Mermaid."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Column,
    Enum,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from timber.common.modeling.column_types import TYPE_NAMES
from timber.common.modeling.flag_checks import FLAGS
from timber.common.modeling.python_types import undecorated
from timber.common.modeling.sealed import BlindIndex, Sealed
from timber.common.modeling.spec import ModelSpec

_INDENT: Final = " " * 4
_KEY_WORDS: Final = frozenset({"pk", "fk", "uk"})
"""Words that Mermaid takes as the mark of a key, wherever they stand among the columns."""
_KEYS: Final = (PrimaryKeyConstraint, UniqueConstraint)
_SIZES: Final = ("length", "precision", "scale", "dimensions")


def diagram(metadata: MetaData, models: Iterable[type[Any]]) -> str:
    """Return every table of `metadata` as an entity, and every foreign key as a link.

    A table without a model links others. A whole line means that the link is part of the row's
    identity; a dotted one, that it is not.
    """
    specs = {model.__table__.name: model.__timber__ for model in models}
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    lines = ["erDiagram"]
    for table in tables:
        lines += _entity(table, specs.get(table.name))
    for table in tables:
        lines += sorted(map(_link, table.foreign_key_constraints))
    return "\n".join(lines) + "\n"


def _entity(table: Table, spec: ModelSpec | None) -> Iterator[str]:
    yield f'{_INDENT}"{table.name}"{_title(spec)} {{'
    for column in (one for one in table.columns if not isinstance(one.type, BlindIndex)):
        yield f"{_INDENT * 2}{_attribute(column, spec)}"
    yield f"{_INDENT}}}"


def _title(spec: ModelSpec | None) -> str:
    if spec is None:
        return ""
    flags = ", ".join(flag for flag in FLAGS if _is_on(spec, flag))
    return f'["{spec.name} · {flags}"]' if flags else f'["{spec.name}"]'


def _is_on(spec: ModelSpec, flag: str) -> bool:
    wanted = getattr(spec, flag)
    return wanted is not None and wanted.enabled


def _attribute(column: Column[Any], spec: ModelSpec | None) -> str:
    name = f"{column.name}_" if column.name.lower() in _KEY_WORDS else column.name
    keys = ", ".join(_keys(column))
    notes = ", ".join(_notes(column, spec))
    parts = (_type(column.type), name, keys, f'"{notes}"' if notes else "")
    return " ".join(part for part in parts if part)


def _type(kind: TypeEngine[Any]) -> str:
    """Return the type as a model file writes it, without what Mermaid cannot read."""
    kind = kind.column.plain if isinstance(kind, Sealed) else kind
    shown = kind if type(kind).__name__ in TYPE_NAMES else undecorated(kind)
    sizes = [getattr(shown, size, None) for size in _SIZES]
    given = "_".join(str(size) for size in sizes if isinstance(size, int))
    name = "Array" if isinstance(shown, ARRAY) else type(shown).__name__
    return f"{name}({given})" if given and not isinstance(shown, Enum) else name


def _keys(column: Column[Any]) -> Iterator[str]:
    if column.primary_key:
        yield "PK"
    if column.foreign_keys:
        yield "FK"
    if {column} in _unique(column.table) and not column.primary_key:
        yield "UK"


def _unique(table: Table) -> list[set[Column[Any]]]:
    """Return the sets of columns that, together, have no value twice."""
    keys = (key for key in table.constraints if isinstance(key, _KEYS))
    indexes = (index for index in table.indexes if index.unique)
    return [set(one.columns) for one in (*keys, *indexes)]


def _notes(column: Column[Any], spec: ModelSpec | None) -> Iterator[str]:
    if not column.nullable and not column.primary_key:
        yield "not null"
    if spec is not None:
        yield from (note for note, columns in _noted(spec).items() if column.name in columns)


def _noted(spec: ModelSpec) -> dict[str, tuple[str | None, ...]]:
    """Return the columns that the model's states and flags are about."""
    noted: dict[str, tuple[str | None, ...]] = {}
    if spec.states:
        noted["state"] = (spec.states.column,)
    if spec.encryption and spec.encryption.enabled:
        noted["encrypted"] = spec.encryption.names
    if spec.vector_search and spec.vector_search.enabled:
        noted["found by meaning"] = spec.vector_search.content_field
    if spec.gdpr and spec.gdpr.enabled:
        noted["data subject"] = (spec.gdpr.user_id_field,)
    return noted


def _link(key: ForeignKeyConstraint) -> str:
    child = key.table
    columns, identity = set(key.columns), set(child.primary_key.columns)
    single = any(unique <= columns for unique in _unique(child))
    shape = (
        "|o" if any(column.nullable for column in columns) else "||",
        "--" if columns <= identity else "..",
        "o|" if single else "o{",
    )
    label = ", ".join(column.name for column in key.columns)
    return f'{_INDENT}"{key.referred_table.name}" {"".join(shape)} "{child.name}" : "{label}"'
