"""Reads model files of the older shape, that of timber-common, as what they mean today.

What is changed is noted with its place; nothing that is written there is ever evaluated.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from timber.common.documents import Document, Path
from timber.common.modeling.legacy_relations import BackReference, modern_relationship
from timber.common.modeling.rewriting import Rewriter

_TYPES: Final[Mapping[str, str]] = {
    "Decimal": "Numeric",
    "Binary": "LargeBinary",
    "Blob": "LargeBinary",
}
_BARE: Final[Mapping[str, str]] = {"String": "Text", "Numeric": "Numeric(38, 9)"}
_NOW: Final = frozenset({"utcnow", "datetime.utcnow", "datetime.now", "func.now"})
_MARKERS: Final[Mapping[str, str]] = {
    "EncryptedFieldMixin": "encryption",
    "GDPRComplianceMixin": "gdpr",
    "SearchableMixin": "vector_search",
    "CacheableMixin": "caching",
}
_AUDIT_COLUMNS: Final = ("created_by", "updated_by")
_OLD_FILE_KEYS: Final = ("depends", "dependencies")
_OLD_MODEL_KEYS: Final = ("module", "table_args")
_COLUMN_HINT: Final = frozenset({"indexed", "default"})
_USERS: Final = "users.id"


def modernise(documents: Sequence[Document]) -> tuple[str, ...]:
    """Change the documents in place to the dialect of today, and return what was changed.

    Each note is `file:line:col: what`. Whatever is no model file is left as it is.
    """
    notes: list[str] = []
    back_references: list[BackReference] = []
    users_have_id = any(
        model.get("table_name") == "users" and column.get("name") == "id"
        for document in documents
        for _, model in _mappings(document.value, "models")
        for _, column in _mappings(model, "columns")
    )
    for document in documents:
        rewriter = Rewriter(document, notes)
        _modern_file(rewriter, back_references, users_have_id=users_have_id)
    for reference in back_references:
        reference.add_to(documents)
    return tuple(notes)


def _modern_file(
    rewriter: Rewriter, back_references: list[BackReference], *, users_have_id: bool
) -> None:
    root = rewriter.document.value
    if not isinstance(root, dict):
        return
    for key in _OLD_FILE_KEYS:
        rewriter.drop((), key, "all files are read together, in any order")
    for path, table in _mappings(root, "association_tables"):
        _modern_columns(rewriter, path, table, users_have_id=users_have_id)
    for path, model in _mappings(root, "models"):
        for key in _OLD_MODEL_KEYS:
            rewriter.drop(path, key, "it has no meaning here")
        _modern_mixins(rewriter, path, model)
        _modern_columns(rewriter, path, model, users_have_id=users_have_id)
        for place, relationship in _mappings(model, "relationships"):
            found = modern_relationship(rewriter, (*path, *place), relationship, model)
            back_references += found


def _modern_columns(
    rewriter: Rewriter, path: Path, table: dict[str, Any], *, users_have_id: bool
) -> None:
    columns = table.get("columns")
    for position, column in enumerate(columns if isinstance(columns, list) else ()):
        if not isinstance(column, dict):
            continue
        place = (*path, "columns", position)
        if not _COLUMN_HINT.isdisjoint(column):
            rewriter.rename(place, "indexed", "index")
            if isinstance(column.get("default"), str) and column["default"].strip("()") in _NOW:
                rewriter.replace(place, "default", "now")
        written = column.get("type")
        if isinstance(written, str) and (modern := _modern_type(written)) != written:
            rewriter.replace(place, "type", modern)
        if column.get("foreign_key") == _USERS and not users_have_id:
            rewriter.replace(place, "foreign_key", "users.user_id")


def _modern_type(written: str) -> str:
    name, parenthesis, rest = written.partition("(")
    name = _TYPES.get(name, name)
    return name + parenthesis + rest if parenthesis else _BARE.get(name, name)


def _modern_mixins(rewriter: Rewriter, path: Path, model: dict[str, Any]) -> None:
    mixins = model.get("mixins")
    if not isinstance(mixins, list):
        return
    kept: list[Any] = []
    for position, name in enumerate(mixins):
        place = (*path, "mixins", position)
        if name == "AuditMixin":
            rewriter.note(place, "AuditMixin is read as TimestampMixin with two columns")
            kept.append("TimestampMixin")
            _add_audit_columns(model)
        elif isinstance(name, str) and name in _MARKERS:
            rewriter.note(place, f"{name} is left out: the flag `{_MARKERS[name]}` does its work")
        else:
            kept.append(name)
    # The marks of what is kept must be where it is now, for whatever else is wrong with it.
    rewriter.keep_marks((*path, "mixins"), mixins, kept)
    model["mixins"] = kept


def _add_audit_columns(model: dict[str, Any]) -> None:
    columns = model.get("columns")
    if isinstance(columns, list):
        known = {column.get("name") for column in columns if isinstance(column, dict)}
        columns += [{"name": one, "type": "Text"} for one in _AUDIT_COLUMNS if one not in known]


def _mappings(parent: Any, key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the mappings of the list at `key`, with their paths below the parent."""
    found = parent.get(key) if isinstance(parent, dict) else None
    for position, one in enumerate(found if isinstance(found, list) else ()):
        if isinstance(one, dict):
            yield (key, position), one
