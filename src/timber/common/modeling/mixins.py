"""What many models share: timestamps, deletion that can be undone, and a version."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, cast

from sqlalchemy import Integer
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, MappedColumn, declared_attr, mapped_column

from timber.common.clock import Clock
from timber.common.modeling.column_types import UtcDateTime

INCLUDE_DELETED: Final = "include_deleted"
"""The execution option that shows soft-deleted rows: `execution_options(include_deleted=True)`."""

HARD_DELETE: Final = "hard_delete"
"""The execution option that lets `delete(Model)` delete rows for good."""

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
            parameters: dict[str, Any] = context.get_current_parameters(  # type: ignore[no-untyped-call]
                isolate_multiinsert_groups=False
            )
            # Of several rows in one statement, each has its number at the end of the names.
            number = str(getattr(context.current_column, "key", "")).removeprefix("updated_at")
            given = parameters.get(f"created_at{number or '_m0'}") or parameters.get("created_at")
            return cast("datetime", given or clock.now())

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

    Queries, `Session.get` and relationships leave them out, and so do unique constraints.
    To see them: `session.execute(statement, execution_options={"include_deleted": True})`.
    `session.delete(row)` sets it, `session.restore(row)` takes it back,
    and `session.hard_delete(row)` deletes the row for good.
    """

    @declared_attr
    @classmethod
    def deleted_at(cls) -> Mapped[datetime | None]:
        """When the row was deleted; None if it was not."""
        return mapped_column(UtcDateTime, nullable=True, index=True, sort_order=902)


class OptimisticLockMixin:
    """Adds `version`, which counts the changes of a row.

    Who stores a row that somebody else has changed since it was read gets a ConflictError.
    """

    @declared_attr
    @classmethod
    def version(cls) -> Mapped[int]:
        """How often the row was written."""
        return mapped_column(Integer, nullable=False, default=1, sort_order=903)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


MIXINS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "TimestampMixin": TimestampMixin,
        "SoftDeleteMixin": SoftDeleteMixin,
        "OptimisticLockMixin": OptimisticLockMixin,
    }
)
MIXIN_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "TimestampMixin": {"created_at": "DateTime", "updated_at": "DateTime"},
        "SoftDeleteMixin": {"deleted_at": "DateTime"},
        "OptimisticLockMixin": {"version": "Integer"},
    }
)
"""The columns that each mixin adds, and their types."""
