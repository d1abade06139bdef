"""Checks of what a model lets be found by its meaning."""

from collections.abc import Iterable, Iterator
from typing import Final

from timber.common.documents import Path, closest
from timber.common.modeling.catalogue import Table
from timber.common.modeling.column_types import ColumnType
from timber.common.modeling.features import VectorSearchSpec

FLAG: Final = "vector_search"
LONGEST_KEY: Final = 255
"""How many characters the key of a row, and the name of an owner, may have."""

_WHOLE: Final = frozenset({"SmallInteger", "Integer", "BigInteger"})
_NUMBERS: Final = _WHOLE | {"Float", "Double", "Numeric"}
_KEYS: Final = _WHOLE | {"text", "CHAR", "Uuid", "Enum"}
_CONTENT: Final = frozenset({"text", "JSON", "CHAR", "Enum"})
_MOMENTS: Final = frozenset({"Date", "DateTime"})
_NO_METADATA: Final = frozenset({"LargeBinary", "Vector"})

_LEAK: Final = (
    "{name!r} is encrypted, and would be found by its meaning: its text would be sealed, and its "
    "words kept as keyed hashes, but its vectors must lie in the database as they are, and from "
    "a vector nearly all of a short text can be guessed (embedding inversion). Whoever steals "
    "the database has them. If that is acceptable, write `embeds_encrypted: true`; if not, leave "
    "the field out"
)
_CLEAR: Final = (
    "{name!r} is encrypted, and `{key}` would keep it as it is beside the text, where the "
    "database compares it: leave it out"
)
_NOT_ENCRYPTED: Final = (
    "nothing in `content_field` is encrypted, so there is nothing to consent to: leave it out"
)


def vector_problems(table: Table) -> Iterator[str]:
    """Check the flag `vector_search` of a model."""
    wanted = table.model.vector_search if table.model else None
    if wanted is None:
        return
    for path, name in _named(wanted):
        if name not in table.columns:
            message = f"{table.name!r} has no column {name!r}{closest(name, table.columns)}"
            yield table.problem(FLAG, *path, message=message)
    yield from _kind_problems(table, wanted)
    if wanted.enabled:
        yield from _key_problems(table)
        yield from _encryption_problems(table, wanted)


def source_type_problems(entries: Iterable[Table]) -> Iterator[str]:
    """Check that no two models are called the same in searches."""
    first: dict[str, Table] = {}
    for table in entries:
        wanted = table.model.vector_search if table.model else None
        if wanted is None or not wanted.enabled:
            continue
        known = first.setdefault(wanted.source_type or table.name, table)
        if known is not table:
            message = f"{known.name!r} is called {wanted.source_type or table.name!r} already"
            path = (FLAG, "source_type") if wanted.source_type else (FLAG,)
            yield table.problem(*path, message=message)


def _named(wanted: VectorSearchSpec) -> Iterator[tuple[Path, str]]:
    for place, name in enumerate(wanted.content_field):
        yield ("content_field", place), name
    for place, name in enumerate(wanted.metadata_fields):
        yield ("metadata_fields", place), name
    for key in ("owner_field", "importance_field", "occurred_at_field"):
        if name := getattr(wanted, key):
            yield (key,), name


def _kind_problems(table: Table, wanted: VectorSearchSpec) -> Iterator[str]:
    for path, name in _named(wanted):
        column = table.columns.get(name)
        if column is None:
            continue
        problem = _kind_problem(str(path[0]), column.column_type)
        if problem:
            message = f"{name!r} is of type {column.type}, {problem}"
            yield table.problem(FLAG, *path, message=message)


def _kind_problem(key: str, kind: ColumnType) -> str | None:
    match key:
        case "content_field":
            return None if kind.family in _CONTENT else "which has no meaning to find"
        case "metadata_fields":
            return "by which nothing can be filtered" if kind.name in _NO_METADATA else None
        case "owner_field":
            return None if _fits_a_key(kind) else f"which names no owner: {_KEY_IS}"
        case "importance_field":
            return None if kind.name in _NUMBERS else "which is no number"
        case _:
            return None if kind.name in _MOMENTS else "which is no moment"


def _key_problems(table: Table) -> Iterator[str]:
    """Demand a key that can be written as a text, which is how searches name rows."""
    keys = [column for column in table.own_columns if column.primary_key]
    if len(keys) > 1:
        message = "rows that are found by their meaning need a primary key of one column"
        yield table.problem(FLAG, message=message, of_key=True)
    elif keys and not _fits_a_key(keys[0].column_type):
        message = f"the primary key {keys[0].name!r} is of type {keys[0].type}: {_KEY_IS}"
        yield table.problem(FLAG, message=message, of_key=True)


_KEY_IS: Final = f"a text of at most {LONGEST_KEY} characters, a whole number or a Uuid is needed"


def _fits_a_key(kind: ColumnType) -> bool:
    if kind.family not in _KEYS:
        return False
    return kind.family not in {"text", "CHAR"} or (kind.length or LONGEST_KEY + 1) <= LONGEST_KEY


def _encryption_problems(table: Table, wanted: VectorSearchSpec) -> Iterator[str]:
    encryption = table.model.encryption if table.model else None
    names = encryption.names if encryption else ()
    if wanted.embeds_encrypted and not set(names).intersection(wanted.content_field):
        yield table.problem(FLAG, "embeds_encrypted", message=_NOT_ENCRYPTED)
    if encryption is None or not encryption.enabled:
        return
    for path, name in _named(wanted):
        key = str(path[0])
        if name not in names or (key == "content_field" and wanted.embeds_encrypted):
            continue
        message = _LEAK if key == "content_field" else _CLEAR
        yield table.problem(FLAG, *path, message=message.format(name=name, key=key))
