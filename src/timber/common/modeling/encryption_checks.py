"""Checks of what is to be encrypted: nothing that the database must look into or change."""

from collections.abc import Iterator
from typing import Final

from timber.common.documents import Path, closest
from timber.common.modeling.catalogue import Catalogue, Table
from timber.common.modeling.conditions import parse_condition
from timber.common.modeling.features import EncryptedFieldSpec, EncryptionSpec
from timber.common.modeling.sealed_tables import index_name
from timber.common.modeling.spec import MAX_NAME, ColumnSpec
from timber.common.modeling.subjects import leads_to_persons, subject_path, subject_way

FLAG: Final = "encryption"
_NEVER: Final = ("primary_key", "foreign_key", "check", "server_default")
_SEARCHABLE: Final = ("unique", "index")
_NOT_COMPARED: Final = frozenset({"JSON", "Vector", "Array"})
_NO_KEYS: Final = frozenset({"Float", "Double", "JSON", "Vector", "Array", "Interval"})
_BOUND_NEVER: Final = ("foreign_key", "server_default")
_CHANGING: Final = ("set null", "set default")


def encryption_problems(table: Table, catalogue: Catalogue) -> Iterator[str]:
    """Check the fields that a model encrypts, and by what they are bound to their rows."""
    encryption = table.model.encryption if table.model else None
    if encryption is None:
        return
    if encryption.enabled and not encryption.fields:
        yield table.problem(FLAG, message="`fields` names what is encrypted")
    if len(set(encryption.names)) < len(encryption.names):
        yield table.problem(FLAG, "fields", message="a field is named twice")
    for place, one in enumerate(encryption.fields):
        column = table.columns.get(one.name)
        if column is not None:
            where = (FLAG, "fields", place)
            for message in _field_problems(table, one, column, catalogue):
                yield table.problem(*where, message=message)
    if encryption.enabled:
        yield from _condition_problems(table, encryption)
        yield from _index_problems(table, encryption)
        yield from _key_problems(table)
        yield from _bound_problems(table, encryption, catalogue)
        yield from _link_problems(table, catalogue)


def _field_problems(
    table: Table, one: EncryptedFieldSpec, column: ColumnSpec, catalogue: Catalogue
) -> Iterator[str]:
    if one.name not in {own.name for own in table.own_columns}:
        yield f"{one.name!r} cannot be encrypted: Timber keeps it itself"
    for key in _NEVER:
        if getattr(column, key) not in (None, False):
            yield f"{one.name!r} cannot be encrypted: it has a `{key}`"
    if any(one.name in key.columns for key in table.foreign_keys if len(key.columns) > 1):
        yield f"{one.name!r} cannot be encrypted: it has a `foreign_key`"
    for other in catalogue.entries:
        if any(one.name in key.targets for key in other.foreign_keys_to(table.name)):
            yield f"{one.name!r} cannot be encrypted: a foreign key of {other.name!r} points to it"
    yield from _search_problems(table, one, column)


def _search_problems(table: Table, one: EncryptedFieldSpec, column: ColumnSpec) -> Iterator[str]:
    """Check that a field can be searched by, or must not be."""
    if not one.searchable:
        for key in _SEARCHABLE:
            if getattr(column, key):
                yield (
                    f"{one.name!r} cannot be encrypted: it has a `{key}`; "
                    f"write {{name: {one.name}, searchable: true}}"
                )
        return
    if column.column_type.name in _NOT_COMPARED:
        yield f"{one.name!r} cannot be searchable: it is of type {column.type}"
    if one.normalise != "exact" and column.column_type.family not in {"text", "CHAR"}:
        yield f"{one.name!r} is no text, so there is nothing to normalise"
    name = index_name(one.name)
    if name in table.columns:
        yield f"{name!r} is there already, which would be the index of {one.name!r}"
    if len(name) > MAX_NAME:
        yield f"the name {one.name!r} is too long for a column with an index"


def _condition_problems(table: Table, encryption: EncryptionSpec) -> Iterator[str]:
    """Look for conditions that the database would have to see the values for."""
    written: list[tuple[Path, str]] = [
        (("checks", place, "condition"), one.condition)
        for place, one in enumerate(table.spec.checks)
    ]
    written += [
        (("columns", place, "check"), one.check)
        for place, one in enumerate(table.spec.columns)
        if one.check
    ]
    written += [
        (("indexes", place, "where"), one.where)
        for place, one in enumerate(table.spec.indexes)
        if one.where
    ]
    for where, condition in written:
        for name in parse_condition(condition).names:
            if name in encryption.names:
                message = f"{name!r} is encrypted, so the database cannot look at it"
                yield table.problem(*where, message=message)


def _index_problems(table: Table, encryption: EncryptionSpec) -> Iterator[str]:
    dark = {one.name for one in encryption.fields if not one.searchable}
    lists: list[tuple[Path, tuple[str, ...]]] = [
        (("indexes", place, "columns"), one.columns)
        for place, one in enumerate(table.spec.indexes)
    ]
    lists += [
        (("unique", place, "columns"), one.columns) for place, one in enumerate(table.spec.unique)
    ]
    for where, names in lists:
        for place, name in enumerate(names):
            if name in dark:
                message = (
                    f"{name!r} is encrypted, so it cannot be indexed: make it `searchable: true`"
                )
                yield table.problem(*where, place, message=message)


def _key_problems(table: Table) -> Iterator[str]:
    """Check that the primary key, to which values are bound, is known before the INSERT."""
    encryption = table.model.encryption if table.model else None
    if encryption is None or encryption.bound_to is not None:
        return
    names = table.primary_key
    for place, column in enumerate(table.spec.columns):
        if not column.primary_key:
            continue
        where = ("columns", place)
        kind = column.column_type
        counts = len(names) == 1 and kind.name in {"Integer", "BigInteger", "SmallInteger"}
        if counts and column.default is None and column.foreign_key is None:
            message = (
                f"{column.name!r} is counted by the database, but what is encrypted is bound to "
                "its key before: use a key with `default: uuid7`, or name by `bound_to` a column "
                "that is unique and never null"
            )
            yield table.problem(*where, message=message)
        if kind.name in _NO_KEYS:
            message = f"nothing can be bound to a primary key of type {column.type}"
            yield table.problem(*where, "type", message=message)
        if column.server_default is not None:
            message = "what is encrypted is bound to its key: write this as `default`"
            yield table.problem(*where, "server_default", message=message)
        if column.on_update not in (None, "no action", "restrict"):
            yield table.problem(*where, "on_update", message=_BEHIND)


def _bound_problems(
    table: Table, encryption: EncryptionSpec, catalogue: Catalogue
) -> Iterator[str]:
    """Check the column to which values are bound in the place of the primary key."""
    name = encryption.bound_to
    if name is None:
        return
    column = table.columns.get(name)
    if column is None:
        found = [f"{table.name!r} has no column {name!r}{closest(name, table.columns)}"]
    else:
        found = list(_unfit(name, column, encryption))
    if _way_of(table, catalogue) == ():
        found.append("each row is a person, and known by its primary key: leave this out")
    for message in found:
        yield table.problem(FLAG, "bound_to", message=message)


def _unfit(name: str, column: ColumnSpec, encryption: EncryptionSpec) -> Iterator[str]:
    """Tell why nothing can be bound to a column."""
    if not column.unique or column.nullable:
        yield f"{name!r} does not tell rows apart: let it be `unique: true, nullable: false`"
    if name in encryption.names:
        yield f"{name!r} is encrypted itself, so nothing can be bound to it"
    if column.column_type.name in _NO_KEYS:
        yield f"nothing can be bound to {name!r}, which is of type {column.type}"
    for key in _BOUND_NEVER:
        if getattr(column, key) is not None:
            yield f"nothing can be bound to {name!r}: it has a `{key}`"


def _way_of(table: Table, catalogue: Catalogue) -> tuple[str, ...] | None:
    """Return the way from a table to its persons; None also where it cannot be told."""
    try:
        return subject_way(table, catalogue)
    except ValueError:
        return None  # which is told of the table elsewhere


def _link_problems(table: Table, catalogue: Catalogue) -> Iterator[str]:
    """Check the column by which rows belong to a person, to which values are bound, too."""
    try:
        way = subject_way(table, catalogue)
    except ValueError as error:
        if table.model is None or table.model.gdpr is None:
            message = f"whose key encrypts it? {error} under `gdpr`"
            yield table.problem(FLAG, message=message, of_key=True)
        return
    if (
        way is None
        and table.model
        and table.model.gdpr is None
        and leads_to_persons(table, catalogue)
    ):
        path = ".".join(subject_path(table, None, catalogue))
        message = (
            f"whose key encrypts it? {path} may say so, and may be empty: write "
            "`gdpr: {enabled: true}` if the rows are about that person, else "
            "`gdpr: {enabled: false}`"
        )
        yield table.problem(FLAG, message=message, of_key=True)
    column = table.columns.get(way[0]) if way else None
    if column is None:
        return
    if column.on_update not in (None, "no action", "restrict") or column.on_delete in _CHANGING:
        message = f"{column.name!r} says whose the row is: {_BEHIND}"
        yield table.problem(FLAG, message=message, of_key=True)
    if column.server_default is not None:
        message = f"{column.name!r} says whose the row is: write its server_default as `default`"
        yield table.problem(FLAG, message=message, of_key=True)


_BEHIND: Final = (
    "what is encrypted is bound to it, and the database would change it behind Timber's back: "
    "take away `on_update`, and let `on_delete` be cascade or restrict"
)
