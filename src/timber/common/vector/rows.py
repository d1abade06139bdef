"""From the rows of models to the documents that they are in searches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    case,
    cast,
    exists,
    false,
    select,
    true,
)
from sqlalchemy.types import Integer, Uuid

from timber.common.modeling.features import VectorSearchSpec
from timber.common.modeling.sealed_tables import NOTHING_SEALED, sealed_of
from timber.common.vector.documents import Document
from timber.common.vector.metadata import storable
from timber.common.vector.row_triggers import WatchedRows, watched_rows
from timber.common.vector.sealed_pieces import PieceSeals
from timber.common.vector.statements import Statements

_KEY: Final = "_key"
_BETWEEN: Final = "\n\n"
"""What stands between the texts of several columns."""


@dataclass(frozen=True)
class RowSource:
    """The rows of a model that has the flag."""

    model: type[Any]
    table: Table
    wanted: VectorSearchSpec
    watched: WatchedRows

    @property
    def source_type(self) -> str:
        return self.watched.source_type


def row_sources(models: Iterable[type[Any]]) -> dict[str, RowSource]:
    """Return the sources of all models that have the flag, by the name they have in searches."""
    found = {}
    for model in models:
        wanted = model.__timber__.vector_search
        if wanted is not None and wanted.enabled:
            table: Table = model.__table__
            source = RowSource(model, table, wanted, watched_rows(table, wanted))
            found[source.source_type] = source
    return found


@dataclass(frozen=True)
class RowsNow:
    """What became of some rows."""

    documents: tuple[Document, ...]
    settled: frozenset[str]
    """The keys of those that were seen: what is not among the documents has no text any more."""
    failed: Mapping[str, Exception]
    """What cannot be read, and why; none of it is settled."""


def read_rows(
    connection: Connection,
    source: RowSource,
    keys: Sequence[str],
    seals: PieceSeals,
    *,
    statements: Statements,
) -> RowsNow:
    """Read rows as they are now, and keep others from changing them until the transaction ends.

    Rows that somebody is changing meanwhile are neither read nor waited for.
    """
    key = source.table.c[source.watched.key]
    by_value = {_value_of(key, one): one for one in keys}
    values = [value for value in by_value if value is not None]
    is_shared = connection.dialect.name == "postgresql"

    def made() -> Any:
        wanted = key.in_(bindparam("keys", expanding=True))
        statement = select(key.label(_KEY), *_columns(source)).where(wanted)
        # Against those who change it and those who work the same list off, not against readers.
        return (
            statement.with_for_update(key_share=True, skip_locked=True) if is_shared else statement
        )

    statement = statements.made(("rows", source.source_type, is_shared), made)
    rows = [dict(row) for row in connection.execute(statement, {"keys": values}).mappings()]
    seen = {by_value[row["_key"]] for row in rows}
    busy: set[str] = set()
    if is_shared and len(seen) < len(values):
        unseen = [value for value in values if by_value[value] not in seen]
        busy = {by_value[one] for one in connection.scalars(select(key).where(key.in_(unseen)))}
    documents: list[Document] = []
    failed: dict[str, Exception] = {}
    subjects: Sequence[str | None] = [None] * len(rows)
    if source.watched.is_sealed:
        subjects = seals.subjects_of(source.table.name, rows, connection)
    for row, subject in zip(rows, subjects, strict=True):
        written = by_value[row[_KEY]]
        try:
            document = (
                _document(source, written, row)
                if subject is None
                else _document_of_sealed(source, written, row, seals, subject)
            )
        except Exception as error:  # noqa: BLE001 - of one row, which must not keep the others waiting
            failed[written] = error
        else:
            documents += [] if document is None else [document]
    return RowsNow(tuple(documents), frozenset(keys) - busy - failed.keys(), failed)


def _columns(source: RowSource) -> list[Column[Any]]:
    """Return the columns that are read; of sealed rows also those to which values are bound."""
    names = dict.fromkeys(source.watched.columns)
    if source.watched.deleted_at:
        names[source.watched.deleted_at] = None
    sealed = sealed_of(source.table)
    if sealed is not None and source.watched.is_sealed:
        names.update(dict.fromkeys(one.name for one in sealed.bound(source.table)))
        if sealed.link is not None:
            names[sealed.link] = None
    return [source.table.c[name] for name in names]


def _document_of_sealed(
    source: RowSource, source_id: str, row: Mapping[str, Any], seals: PieceSeals, subject: str
) -> Document | None:
    """Return what an encrypted row says; None also if nobody can open it any more."""
    emptied = {name: None if value == NOTHING_SEALED else value for name, value in row.items()}
    opened = seals.opened_row(source.table.name, emptied, subject=subject)
    if opened is None:
        return None
    document = _document(source, source_id, opened)
    return document and replace(document, sealed_for=subject)


def owned(source: RowSource, entry: Any, owner: Any) -> ColumnElement[bool]:
    """Return what an entry of the list meets whose row is an owner's; `entry` has its columns.

    Of rows whose keys are UUIDs it is true of every entry: their keys have a form of their own.
    """
    key = source.table.c[source.watched.key]
    if isinstance(key.type, Uuid):
        return true()
    if source.wanted.owner_field is None:
        return false()
    written: ColumnElement[Any] = entry.source_id
    if isinstance(key.type, Integer):
        # Of other sources no number is read: their keys may be none.
        is_ours = entry.source_type == source.source_type
        written = case((is_ours, cast(written, key.type)), else_=None)
    of_owner = source.table.c[source.wanted.owner_field] == owner
    return exists().where(key == written, of_owner)


def _value_of(key: Column[Any], written: str) -> Any:
    """Return a key as its column has it; None if the column has none that is written so."""
    try:
        if isinstance(key.type, Integer):
            return int(written)
        if isinstance(key.type, Uuid):
            return UUID(written)
    except ValueError:
        return None
    return written


def _document(source: RowSource, source_id: str, row: Mapping[str, Any]) -> Document | None:
    """Return what a row says; None if it says nothing, or was deleted."""
    wanted = source.wanted
    deleted_at = source.watched.deleted_at
    if deleted_at and row[deleted_at] is not None:
        return None
    content = _BETWEEN.join(text for name in wanted.content_field if (text := _text_in(row[name])))
    if not content:
        return None
    owner = row[wanted.owner_field] if wanted.owner_field else None
    importance = row[wanted.importance_field] if wanted.importance_field else None
    return Document(
        content=content,
        source_type=source.source_type,
        source_id=source_id,
        metadata=storable({name: _plain(row[name]) for name in wanted.metadata_fields}),
        owner="" if owner is None else str(owner),
        importance=None if importance is None else float(importance),
        occurred_at=_moment(row[wanted.occurred_at_field] if wanted.occurred_at_field else None),
    )


def _text_in(value: Any) -> str:
    """Return the text of a value; of JSON, the texts in it, one below the other."""
    match value:
        case None:
            return ""
        case str():
            return "" if value.isspace() else value.replace("\0", " ")
        case Mapping():
            return "\n".join(filter(None, map(_text_in, value.values())))
        case list():
            return "\n".join(filter(None, map(_text_in, value)))
        case _:
            return str(value)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), tzinfo=UTC)
    moment: datetime | None = value
    return moment


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one answer for each kind of value
    """Return a value as metadata has it."""
    match value:
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value
