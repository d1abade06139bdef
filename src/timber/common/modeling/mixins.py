"""What many models share: timestamps, and deletion that can be undone."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, cast

from sqlalchemy import event, inspect
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import (
    Mapped,
    MappedColumn,
    ORMExecuteState,
    Session,
    declared_attr,
    mapped_column,
    sessionmaker,
    with_loader_criteria,
)

from timber.common.clock import Clock
from timber.common.modeling.column_types import UtcDateTime

INCLUDE_DELETED: Final = "include_deleted"
"""The execution option that shows soft-deleted rows: `execution_options(include_deleted=True)`."""

_NOW: Final = {"default": "now"}
"""For migrations: what rows get that were there before the column."""


class TimestampMixin:
    """Adds `created_at` and `updated_at`; equal on creation, and `updated_at` moves on update."""

    __clock__: Clock

    @declared_attr
    @classmethod
    def created_at(cls) -> Mapped[datetime]:
        """When the row was created."""
        clock = cls.__clock__
        return mapped_column(
            UtcDateTime, nullable=False, default=lambda _: clock.now(), sort_order=900, info=_NOW
        )

    @declared_attr
    @classmethod
    def updated_at(cls) -> Mapped[datetime]:
        """When the row was last changed."""
        clock = cls.__clock__

        def created(context: DefaultExecutionContext) -> datetime:
            # Rows that bypass the unit of work (bulk, Core) have their created_at by now.
            parameters: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
            return cast("datetime", parameters.get("created_at") or clock.now())

        column: MappedColumn[datetime] = mapped_column(
            UtcDateTime,
            nullable=False,
            default=created,
            onupdate=lambda _: clock.now(),
            sort_order=901,
            info=_NOW,
        )
        return column


class SoftDeleteMixin:
    """Adds `deleted_at`; queries leave out the rows that have one, unless they ask for them.

    Queries, `Session.get` and relationships leave them out.
    To see them: `session.execute(statement, execution_options={"include_deleted": True})`.
    """

    @declared_attr
    @classmethod
    def deleted_at(cls) -> Mapped[datetime | None]:
        """When the row was deleted; None if it was not."""
        return mapped_column(UtcDateTime, nullable=True, index=True, sort_order=902)


MIXINS: Final[Mapping[str, type]] = MappingProxyType(
    {"TimestampMixin": TimestampMixin, "SoftDeleteMixin": SoftDeleteMixin}
)
MIXIN_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "TimestampMixin": {"created_at": "DateTime", "updated_at": "DateTime"},
        "SoftDeleteMixin": {"deleted_at": "DateTime"},
    }
)
"""The columns that each mixin adds, with their types as a model file writes them."""

_NOT_DELETED: Final = with_loader_criteria(
    SoftDeleteMixin,
    lambda model: model.deleted_at.is_(None),
    include_aliases=True,
    propagate_to_loaders=False,
)


def install(sessions: "sessionmaker[Session]", *, clock: Clock) -> None:
    """Teach the sessions of one Timber what the mixins promise."""

    def stamp(session: Session, _context: Any, _instances: Any) -> None:
        _stamp(session, clock)

    event.listen(sessions, "before_flush", stamp)
    event.listen(sessions, "do_orm_execute", _leave_out_deleted)


def _stamp(session: Session, clock: Clock) -> None:
    """Give everything one flush writes the same moment, but leave what was set by hand."""
    now: datetime | None = None
    for row in (*session.new, *session.dirty):
        if not isinstance(row, TimestampMixin):
            continue
        if row in session.new:
            now = now or clock.now()
            _set_once(row, "created_at", now)
            _set_once(row, "updated_at", row.created_at)
        elif session.is_modified(row, include_collections=False):
            now = now or clock.now()
            _set_once(row, "updated_at", now)


def _set_once(row: TimestampMixin, name: str, moment: datetime) -> None:
    if not inspect(row).attrs[name].history.added:
        setattr(row, name, moment)


def _leave_out_deleted(state: ORMExecuteState) -> None:
    # A refresh of a row that is at hand must find it, deleted or not.
    if not state.is_select or state.is_column_load:
        return
    if not state.execution_options.get(INCLUDE_DELETED, False):
        state.statement = state.statement.options(_NOT_DELETED)
