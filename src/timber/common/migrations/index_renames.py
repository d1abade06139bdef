"""Finds where an index only has a new name, so that nobody has to build it again."""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
)
from sqlalchemy import ClauseElement, Column, Index, UniqueConstraint

from timber.common.migrations.operations import RenameIndexOp, RenameUniqueConstraintOp

Signature = tuple[bool, bool, tuple[str, ...]]
"""Whether it is a constraint, whether it is unique, and its columns."""


def with_renames(operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
    """Return the operations on one table, with a rename for each drop and create of the same."""
    created: dict[Signature, Index | UniqueConstraint] = {}
    for operation in operations:
        if isinstance(operation, CreateIndexOp):
            _note(created, operation.to_index())
        elif isinstance(operation, CreateUniqueConstraintOp):
            _note(created, operation.to_constraint())
    renamed: dict[str, RenameIndexOp] = {}
    for operation in operations:
        old = _dropped(operation)
        new = created.get(_signature(old)) if old is not None else None
        if old is not None and new is not None:
            renamed |= dict.fromkeys((str(old.name), str(new.name)), _rename(old, new))
    kept = [one for one in operations if str(_name(one)) not in renamed]
    return [*dict.fromkeys(renamed.values()), *kept]


def _note(
    created: dict[Signature, Index | UniqueConstraint], item: Index | UniqueConstraint
) -> None:
    if _is_plain(item):
        created[_signature(item)] = item


def _dropped(operation: MigrateOperation) -> Index | UniqueConstraint | None:
    item: Any = None
    if isinstance(operation, DropIndexOp):
        item = operation.to_index()
    elif isinstance(operation, DropConstraintOp) and operation.constraint_type == "unique":
        item = operation.to_constraint()
    return item if isinstance(item, Index | UniqueConstraint) and _is_plain(item) else None


def _is_plain(item: Index | UniqueConstraint) -> bool:
    """Tell whether columns are all there is to it: no condition, no expression, no options."""
    # A condition is SQL, of which Python cannot ask whether it is true.
    empty: tuple[object, ...] = ([], (), {})
    given = (one for one in item.dialect_kwargs.values() if one is not None and one is not False)
    options = [one for one in given if isinstance(one, ClauseElement) or one not in empty]
    expressions = item.expressions if isinstance(item, Index) else list(item.columns)
    return not options and all(isinstance(one, Column) for one in expressions)


def _signature(item: Index | UniqueConstraint) -> Signature:
    constraint = isinstance(item, UniqueConstraint)
    unique = constraint or bool(getattr(item, "unique", False))
    return constraint, unique, tuple(column.name for column in item.columns)


def _rename(old: Index | UniqueConstraint, new: Index | UniqueConstraint) -> RenameIndexOp:
    constraint, unique, columns = _signature(new)
    table = str(getattr(new, "table").name)  # noqa: B009 - a constraint's is typed as optional
    if constraint:
        return RenameUniqueConstraintOp(
            str(old.name), str(new.name), table_name=table, columns=columns
        )
    return RenameIndexOp(
        str(old.name), str(new.name), table_name=table, columns=columns, unique=unique
    )


def _name(operation: MigrateOperation) -> object:
    return getattr(operation, "index_name", getattr(operation, "constraint_name", None))
