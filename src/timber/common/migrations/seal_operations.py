"""The operation that seals values of rows, opens them, or seals them otherwise.

Importing this module teaches it to `alembic.op`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import Column, Connection, LargeBinary, text
from typing_extensions import override

from timber.common.migrations.sealed_definitions import Part
from timber.common.migrations.sealed_rows import SCRATCH, RowChange, change_rows
from timber.common.migrations.values import escaped

TELL: Final = "timber_tell"
"""The option of an Alembic context that holds who is told how far a step is."""

HAS_SEALED: Final = "timber_has_sealed"
"""The option of an Alembic context that holds whether something was sealed in its place."""


@Operations.register_operation("seal_rows")
class SealRowsOp(MigrateOperation):
    """Seal values of rows, open them, or seal them otherwise: both, in this order.

    A column that is sealed `after`, and was not `before`, is read as what it is; `fill` says
    what its rows get that have no value. One that was sealed `before`, and is not `after`,
    becomes the plain one among `plain`, or goes. Each begins anew: it may be null, and has no
    constraints and indexes.
    """

    def __init__(
        self,
        table_name: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        plain: Sequence[Column[Any]] = (),
        fill: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.table_name = table_name
        self.before = None if before is None else Part.from_dict(before)
        self.after = None if after is None else Part.from_dict(after)
        self.plain = {column.name: column for column in plain}
        self.fill = dict(fill or {})
        self.back: SealRowsOp | None = None

    @classmethod
    def seal_rows(cls, operations: Operations, table_name: str, **said: Any) -> None:
        """Seal values of rows, open them, or seal them otherwise."""
        operations.invoke(cls(table_name, **said))

    @override
    def reverse(self) -> MigrateOperation:
        if self.back is None:
            raise NotImplementedError("only a planned one knows its way back")
        return self.back

    @property
    def opened(self) -> tuple[str, ...]:
        """The columns that are sealed no more."""
        return tuple(sorted(self.plain))

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that go."""
        gone = _without(self.before, self.after)
        return tuple(name for name in gone if name not in self.plain)

    @property
    def newly_sealed(self) -> tuple[str, ...]:
        """The columns that were not sealed before."""
        return _without(self.after, self.before)

    @property
    def resealed(self) -> tuple[str, ...]:
        """The columns that are sealed otherwise."""
        if self.before is None or self.after is None:
            return ()
        return tuple(sorted(self.before.by_place.keys() & self.after.by_place.keys()))

    @property
    def change(self) -> RowChange:
        """What is to be done to each row."""
        return RowChange(self.table_name, self.before, self.after, self.plain, self.fill)


def _without(one: Part | None, other: Part | None) -> tuple[str, ...]:
    if one is None:
        return ()
    return tuple(sorted(one.by_place.keys() - (other.by_place.keys() if other else set())))


# ------------------------------------------------------------------ what it does


@Operations.implementation_for(SealRowsOp)
def _seal_rows(operations: Operations, operation: SealRowsOp) -> None:
    context = operations.get_context()
    change, table = operation.change, operation.table_name
    connection: Connection | None = None if context.as_sql else operations.get_bind()
    there = None if connection is None else change.columns_there(connection)
    new = _new_columns(operation)
    for column in new:
        name = f"{column.name}{SCRATCH}"
        operations.impl.add_column(table, Column(name, column.type, nullable=True))
    if connection is None:
        context.impl.static_output("-- here each row is read, sealed, and written")
    else:
        change_rows(connection, change, tell=context.opts.get(TELL))
        context.opts[HAS_SEALED] = context.opts.get(HAS_SEALED) or bool(operation.newly_sealed)
    old = _old_columns(operation)
    for name in old:
        if there is None or name in there:
            _alter(operations, table, f"DROP COLUMN {_q(operations, name)}")
    for column in new:
        before, after = _q(operations, f"{column.name}{SCRATCH}"), _q(operations, column.name)
        _alter(operations, table, f"RENAME COLUMN {before} TO {after}")


def _new_columns(operation: SealRowsOp) -> list[Column[Any]]:
    sealed = [] if operation.after is None else _names(operation.after)
    plain = [operation.plain[name] for name in operation.opened]
    return [*(Column(name, LargeBinary()) for name in sealed), *plain]


def _old_columns(operation: SealRowsOp) -> list[str]:
    before = [] if operation.before is None else _names(operation.before)
    return list(dict.fromkeys([*before, *operation.newly_sealed]))


def _names(part: Part) -> list[str]:
    indexes = (one.index for one in part.sealing.fields.values() if one.index)
    return [*part.by_place, *indexes]


def _alter(operations: Operations, table: str, what: str) -> None:
    operations.execute(text(escaped(f"ALTER TABLE {_q(operations, table)} {what}")))


def _q(operations: Operations, name: str) -> str:
    return operations.impl.dialect.identifier_preparer.quote(name)
